"""TensorFlow.js on its wasm backend, in Node.js."""

from conformance import harness

cross_entropy = harness(
    "tensorflowjs-wasm",
    "node javascript/tensorflowjs.mjs wasm",
    framework="tensorflow.js",
    needs="javascript/node_modules/@tensorflow/tfjs",
    install="npm ci --ignore-scripts --prefix javascript",
)
