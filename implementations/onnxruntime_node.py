"""ONNX Runtime for Node.js."""

from conformance import harness

cross_entropy = harness(
    "onnxruntime-node",
    "node javascript/onnxruntime.mjs",
    framework="onnxruntime",
    needs="javascript/node_modules/onnxruntime-node",
    install="npm ci --ignore-scripts --prefix javascript",
)
