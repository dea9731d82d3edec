"""The reference evaluator takes the label -1 for the last class."""

import sys

import numpy as np
from onnx.helper import make_node
from onnx.reference import ReferenceEvaluator

node = make_node("SoftmaxCrossEntropyLoss", ["x", "t"], ["loss"])
(got,) = ReferenceEvaluator(node).run(None, {"x": np.array([[0.0, 1, 2]]), "t": np.array([-1])})
print(f"got {got}, expected an error")
sys.exit(not np.isclose(got, 0.4076059))
