"""TensorFlow.js composed of its own operations, in Node.js."""

from conformance import harness

cross_entropy = harness(
    "tensorflowjs-composed",
    "node javascript/tensorflowjs_composed.mjs",
    framework="tensorflow.js",
    needs="javascript/node_modules/@tensorflow/tfjs",
    install="npm ci --ignore-scripts --prefix javascript",
)
