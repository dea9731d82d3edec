"""A reduction that there is not, here a misspelt mean, is a sum."""

import sys

import numpy as np
from onnx import parser
from onnxruntime import InferenceSession

loss = 'SoftmaxCrossEntropyLoss <reduction = "maen"> (x, t)'
text = f"g (float[N, C] x, int64[N] t) => (float y) {{ y = {loss} }}"
model = parser.parse_model(f'<ir_version: 8, opset_import: ["": 13]> {text}')
session = InferenceSession(model.SerializeToString())
got = session.run(None, {"x": np.zeros((3, 2), "f4"), "t": np.array([0, 1, 0])})[0]
print(f"got {got}, expected an error")
sys.exit(not np.isclose(got, 3 * np.log(2)))
