"""ONNX Runtime's loss and its gradient: two operators of its build for training, on the CPU.

That build is a distribution of its own, and takes the place of ``onnxruntime``.
"""

from functools import cache

import onnxruntime
from onnx import TensorProto, helper

from conformance import implementation


@implementation(
    "onnxruntime-training",
    distribution="onnxruntime-training",
    dtypes=("float32",),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32"),
    options=("weight", "ignore_index", "reduction"),
    links=(
        "https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html",
        "https://github.com/microsoft/onnxruntime/blob/v1.19.2/orttraining/orttraining/core/graph/"
        "training_op_defs.cc",
    ),
)
def cross_entropy(logits, target, **options):
    """SoftmaxCrossEntropyLoss and SoftmaxCrossEntropyLossGrad of ONNX Runtime's training build"""
    return run("loss", {"scores": logits, "labels": target}, **options)


@cross_entropy.vjp
def _(cotangent, logits, target, **options):
    feeds = {"scores": logits, "labels": target, "cotangent": cotangent}
    return run("gradient", feeds, **options)


def run(wanted, feeds, *, weight=None, ignore_index=-100, reduction="mean"):
    feeds = feeds if weight is None else {**feeds, "weights": weight}
    types = tuple((name, array.dtype) for name, array in feeds.items())
    made = session(wanted, types, ignore_index=ignore_index, reduction=reduction)
    return made.run([wanted], feeds)[0]


@cache
def session(wanted, types, **attributes):
    """A model and its session, for arrays of any shape."""
    scores, *rest = [name for name, _ in types if name != "cotangent"]
    loss = helper.make_node(
        "SoftmaxCrossEntropyLoss", [scores, *rest], ["loss", "log_p"], **attributes
    )
    gradient = helper.make_node(
        "SoftmaxCrossEntropyLossGrad", ["cotangent", "log_p", *rest], ["gradient"], **attributes
    )
    gradient.domain = "com.microsoft"
    nodes = [loss] if wanted == "loss" else [loss, gradient]
    inputs = [value(name, helper.np_dtype_to_tensor_dtype(dtype)) for name, dtype in types]
    graph = helper.make_graph(nodes, wanted, inputs, [value(wanted, TensorProto.FLOAT)])
    domains = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=domains, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # else each session keeps threads of its own
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def value(name, dtype):
    return helper.make_tensor_value_info(name, dtype, None)
