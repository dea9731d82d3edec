"""The loss put together from ONNX Runtime's operators, and these; forwards only."""

from functools import cache

import onnxruntime
from onnx import helper

from conformance import implementation


@implementation(
    "onnxruntime-log-softmax-nll",
    distribution="onnxruntime",
    dtypes=("float64", "float32", "float16"),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32"),
    links=(
        "https://onnx.ai/onnx/operators/onnx__LogSoftmax.html",
        "https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html",
        "https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md",
    ),
)
def cross_entropy(logits, target, *, weight=None, ignore_index=-100, reduction="mean"):
    """LogSoftmax, then NegativeLogLikelihoodLoss, in ONNX Runtime, on the CPU"""
    options = {"ignore_index": ignore_index, "reduction": reduction}
    return run(("LogSoftmax", "NegativeLogLikelihoodLoss"), logits, target, weight, **options)


@cross_entropy.softmax
def softmax(logits):
    return run(("Softmax",), logits)


@cross_entropy.log_softmax
def log_softmax(logits):
    return run(("LogSoftmax",), logits)


@cross_entropy.nll_loss
def nll_loss(log_p, target, *, weight=None, ignore_index=-100, reduction="mean"):
    options = {"ignore_index": ignore_index, "reduction": reduction}
    return run(("NegativeLogLikelihoodLoss",), log_p, target, weight, **options)


def run(operators, x, *others, **options):
    """The operators one after the other; the last gets the other arrays, and the options."""
    arrays = {f"input{i}": a for i, a in enumerate((x, *others)) if a is not None}
    types = tuple((name, array.dtype) for name, array in arrays.items())
    return session(operators, types, **options).run(None, arrays)[0]


@cache
def session(operators, types, **options):
    """A model and its session, for arrays of any shape."""
    (x, dtype), *others = types
    nodes = []
    for operator in operators[:-1]:
        nodes.append(helper.make_node(operator, [x], [x := operator], axis=1))
    arrays, options = [x, *(name for name, _ in others)], options or {"axis": 1}
    nodes.append(helper.make_node(operators[-1], arrays, ["result"], **options))
    inputs, result = [value(*named) for named in types], value("result", dtype)
    graph = helper.make_graph(nodes, "loss", inputs, [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # else each session keeps threads of its own
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def value(name, dtype):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), None)
