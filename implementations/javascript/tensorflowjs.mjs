// TensorFlow.js's fused loss of probabilities: node tensorflowjs.mjs cpu, or wasm.
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { serve } from "./harness.mjs";

const backend = process.argv[2];
await tf.setBackend(backend);

const tensor = ({ data, shape, dtype }) => tf.tensor(data, shape, dtype);
const reductions = { none: tf.Reduction.NONE, mean: tf.Reduction.MEAN, sum: tf.Reduction.SUM };

function loss(labels, logits, { label_smoothing, reduction }) {
  return tf.losses.softmaxCrossEntropy(
    labels, logits, undefined, label_smoothing, reductions[reduction] ?? reduction);
}
async function answer(compute) {
  const result = tf.tidy(compute), data = await result.data();
  result.dispose();
  return { shape: result.shape, data };
}

await serve(
  {
    name: `tensorflowjs-${backend}`, framework: "tensorflow.js",
    distribution: "@tensorflow/tfjs", version: tf.version.tfjs,
    description: `tf.losses.softmaxCrossEntropy, ${backend} backend`,
    links: ["https://js.tensorflow.org/api/4.22.0/#losses.softmaxCrossEntropy"],
    capabilities: {
      dtypes: ["float32"], targets: ["probabilities"], options: ["label_smoothing", "reduction"],
      gradient: true, derivatives: ["target_vjp"],
    },
  },
  {
    loss: ({ logits, target }, options) =>
      answer(() => loss(tensor(target), tensor(logits), options)),
    gradient: ({ cotangent, logits, target }, options) =>
      answer(() => tf.grad((x) => loss(tensor(target), x, options))(tensor(logits), tensor(cotangent))),
    target_vjp: ({ cotangent, logits, target }, options) =>
      answer(() => tf.grad((q) => loss(q, tensor(logits), options))(tensor(target), tensor(cotangent))),
  },
);
