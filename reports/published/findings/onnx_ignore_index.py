"""With ignore_index=-1 and no weights, the mean is divided by the number of all rows."""

import sys

import numpy as np
from onnx.helper import make_node
from onnx.reference import ReferenceEvaluator

node = make_node("NegativeLogLikelihoodLoss", ["x", "t"], ["loss"], ignore_index=-1)
feeds = {"x": np.log(np.full((2, 2), 0.5)), "t": np.array([0, -1])}
(got,) = ReferenceEvaluator(node).run(None, feeds)
print(f"got {got}, expected {np.log(2)}")
sys.exit(bool(np.isclose(got, np.log(2))))
