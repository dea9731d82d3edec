"""ONNX Runtime's loss and its gradient, the two operators by which its build for training learns.

That build is a distribution of its own, which takes the place of ``onnxruntime``.
"""

from functools import cache

import onnxruntime
from onnx.helper import (
    make_graph,
    make_model,
    make_node,
    make_opsetid,
    make_tensor_value_info,
    np_dtype_to_tensor_dtype,
)

from conformance import implementation


@implementation(
    "onnxruntime-training",
    distribution="onnxruntime-training",
    dtypes=("float32",),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32"),
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


def run(wanted, feeds, *, weight=None, **attributes):
    if weight is not None:
        feeds["weights"] = weight
    types = tuple((name, array.dtype) for name, array in feeds.items())
    return session(wanted, types, **attributes).run([wanted], feeds)[0]


@cache
def session(wanted, types, **attributes):
    """A model and its session, for arrays of any shape."""
    weights = [name for name, _ in types if name == "weights"]
    E
cat > onnxruntime_training.py <<'E'
"""ONNX Runtime's loss and its gradient: the two operators by which its build for training learns.

That build is a distribution of its own, which takes the place of ``onnxruntime``.
"""

from functools import cache

import onnxruntime
from onnx import TensorProto, helper

from conformance import implementation

TYPES = {"int64": TensorProto.INT64, "int32": TensorProto.INT32, "float32": TensorProto.FLOAT}


@implementation(
    "onnxruntime-training",
    distribution="onnxruntime-training",
    dtypes=("float32",),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32"),
    links=(
        "https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html",
        "https://github.com/microsoft/onnxruntime/blob/v1.19.2/orttraining/orttraining/core/graph/"
        "training_op_defs.cc",
    ),
)
def cross_entropy(logits, target, *, weight=None, ignore_index=-100, reduction="mean"):
    """SoftmaxCrossEntropyLoss and SoftmaxCrossEntropyLossGrad of ONNX Runtime's training build"""
    feeds = {"scores": logits, "labels": target, "weights": weight}
    return run("loss", feeds, ignore_index=ignore_index, reduction=reduction)


@cross_entropy.vjp
def _(cotangent, logits, target, *, weight=None, ignore_index=-100, reduction="mean"):
    feeds = {"scores": logits, "labels": target, "weights": weight, "cotangent": cotangent}
    return run("gradient", feeds, ignore_index=ignore_index, reduction=reduction)


def run(wanted, feeds, **attributes):
    feeds = {name: array for name, array in feeds.items() if array is not None}
    types = tuple((name, TYPES[array.dtype.name]) for name, array in feeds.items())
    return session(wanted, types, **attributes).run([wanted], feeds)[0]


@cache
def session(wanted, types, **attributes):
    """A model and its session, for arrays of any shape."""
    labels = [name for name, _ in types if name in ("labels", "weights")]
    nodes = [
        helper.make_node(
            "SoftmaxCrossEntropyLoss", ["scores", *labels], ["loss", "log_p"], **attributes
        ),
        helper.make_node(
            "SoftmaxCrossEntropyLossGrad",
            ["cotangent", "log_p", *labels],
            ["gradient"],
            domain="com.microsoft",
            **attributes,
        ),
    ]
    inputs = [helper.make_tensor_value_info(*named, None) for named in types]
    output = helper.make_tensor_value_info(wanted, TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes[: 1 + (wanted == "gradient")], wanted, inputs, [output])
    domains = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=domains, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # else each session keeps threads of its own
    return onnxruntime.InferenceSession(model.SerializeToString(), options)
