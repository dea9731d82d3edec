"""The loss as ONNX's reference implementation computes it, which runs in NumPy; forwards only."""

from onnx.helper import make_node
from onnx.reference import ReferenceEvaluator

from conformance import implementation


@implementation(
    "onnx-reference-fused",
    distribution="onnx",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32"),
    links=(
        "https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html",
        "https://onnx.ai/onnx/api/reference.html",
    ),
)
def cross_entropy(logits, target, *, weight=None, ignore_index=-100, reduction="mean"):
    """SoftmaxCrossEntropyLoss in onnx.reference.ReferenceEvaluator"""
    feeds = {"scores": logits, "labels": target, "weights": weight}
    feeds = {name: array for name, array in feeds.items() if array is not None}
    options = {"ignore_index": ignore_index, "reduction": reduction}
    node = make_node("SoftmaxCrossEntropyLoss", [*feeds], ["loss"], **options)
    return ReferenceEvaluator(node).run(None, feeds)[0]
