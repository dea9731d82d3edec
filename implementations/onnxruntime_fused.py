"""ONNX Runtime's loss: one operator, forwards only (training has a runtime of its own)."""

from functools import cache

import onnxruntime
from onnx import helper

from conformance import implementation


@implementation(
    "onnxruntime-fused",
    distribution="onnxruntime",
    dtypes=("float64", "float32", "float16"),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32"),
    links=(
        "https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html",
        "https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md",
    ),
)
def cross_entropy(logits, target, *, weight=None, ignore_index=-100, reduction="mean"):
    """SoftmaxCrossEntropyLoss in ONNX Runtime, on the CPU"""
    feeds = {"scores": logits, "labels": target, "weights": weight}
    feeds = {name: array for name, array in feeds.items() if array is not None}
    types = tuple((name, array.dtype) for name, array in feeds.items())
    return session(types, ignore_index=ignore_index, reduction=reduction).run(None, feeds)[0]


@cache
def session(types, **attributes):
    """A model and its session, for arrays of any shape."""
    node = helper.make_node(
        "SoftmaxCrossEntropyLoss", [n for n, _ in types], ["loss"], **attributes
    )
    inputs, loss = [value(*named) for named in types], value("loss", types[0][1])
    graph = helper.make_graph([node], "loss", inputs, [loss])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # else each session keeps threads of its own
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def value(name, dtype):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), None)
