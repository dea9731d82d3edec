"""Beside a NaN the log-softmax of float64 is finite, and so the loss is -46: less than 0."""

import sys

import numpy as np
from onnx import parser
from onnxruntime import InferenceSession

text = "g (double[N, C] x) => (double[N, C] y) { y = LogSoftmax <axis = 1> (x) }"
model = parser.parse_model(f'<ir_version: 8, opset_import: ["": 13]> {text}')
x = np.array([[0.0, np.nan]])
got = -InferenceSession(model.SerializeToString()).run(None, {"x": x})[0][0, 0]
print(f"got {got}, expected nan")
sys.exit(bool(np.isnan(got)))
