"""Weights for five classes are accepted for three."""

import sys

import numpy as np
import onnxruntime
from onnx.parser import parse_model

head = '<ir_version: 8, opset_import: ["": 13]> g (float[N, C] x, int64[N] t, float[D] w)'
model = parse_model(head + " => (float l) {l = SoftmaxCrossEntropyLoss (x, t, w)}")
session = onnxruntime.InferenceSession(model.SerializeToString())
feeds = {"x": np.zeros((1, 3), "f4"), "t": np.array([0]), "w": np.ones(5, "f4")}
got = session.run(None, feeds)[0]
print(f"got {got}, expected an error")
sys.exit(not np.isfinite(got))
