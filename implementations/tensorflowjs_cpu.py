"""TensorFlow.js on its cpu backend, in Node.js."""

from conformance import harness

cross_entropy = harness(
    "tensorflowjs-cpu",
    "node javascript/tensorflowjs.mjs cpu",
    framework="tensorflow.js",
    needs="javascript/node_modules/@tensorflow/tfjs",
    install="npm ci --ignore-scripts --prefix javascript",
)
