"""The label -1 counts from the last class, as no label of SoftmaxCrossEntropyLoss may."""

import sys

import numpy as np
from onnx import parser
from onnxruntime import InferenceSession

text = "g (float[N, C] x, int64[N] t) => (float y) { y = SoftmaxCrossEntropyLoss (x, t) }"
model = parser.parse_model(f'<ir_version: 8, opset_import: ["": 13]> {text}')
session = InferenceSession(model.SerializeToString())
got = session.run(None, {"x": np.array([[0, 1, 2]], "f4"), "t": np.array([-1])})[0]
print(f"got {got}, expected an error")
sys.exit(not np.isclose(got, 0.4076059))
