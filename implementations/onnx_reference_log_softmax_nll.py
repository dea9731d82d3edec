"""The loss put together from operators of ONNX's reference implementation; forwards only."""

from onnx.helper import make_node
from onnx.reference import ReferenceEvaluator

from conformance import implementation


@implementation(
    "onnx-reference-log-softmax-nll",
    distribution="onnx",
    dtypes=("float64", "float32", "float16"),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32"),
    options=("weight", "ignore_index", "reduction"),
    links=(
        "https://onnx.ai/onnx/operators/onnx__LogSoftmax.html",
        "https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html",
        "https://onnx.ai/onnx/api/reference.html",
    ),
)
def cross_entropy(logits, target, **options):
    """LogSoftmax, then NegativeLogLikelihoodLoss, in onnx.reference.ReferenceEvaluator"""
    return nll_loss(log_softmax(logits), target, **options)


@cross_entropy.softmax
def softmax(logits):
    return run("Softmax", logits, axis=1)


@cross_entropy.log_softmax
def log_softmax(logits):
    return run("LogSoftmax", logits, axis=1)


@cross_entropy.nll_loss
def nll_loss(log_p, target, *, weight=None, ignore_index=-100, reduction="mean"):
    options = {"ignore_index": ignore_index, "reduction": reduction}
    return run("NegativeLogLikelihoodLoss", log_p, target, weight, **options)


def run(operator, *arrays, **attributes):
    feeds = {f"input{i}": array for i, array in enumerate(arrays) if array is not None}
    node = make_node(operator, [*feeds], ["result"], **attributes)
    return ReferenceEvaluator(node).run(None, feeds)[0]
