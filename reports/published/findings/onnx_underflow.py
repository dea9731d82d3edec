"""The reference evaluator takes the logarithm of a softmax: -inf where that underflows."""

import sys

import numpy as np
from onnx.helper import make_node
from onnx.reference import ReferenceEvaluator

node = make_node("SoftmaxCrossEntropyLoss", ["x", "t"], ["loss"])
feeds = {"x": np.array([[0, -104]], "f4"), "t": np.array([1])}
with np.errstate(divide="ignore"):
    (got,) = ReferenceEvaluator(node).run(None, feeds)
print(f"got {got}, expected 104.0")
sys.exit(bool(np.isfinite(got)))
