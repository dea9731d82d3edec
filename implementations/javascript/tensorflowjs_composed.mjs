// Every option of torch's loss, composed of TensorFlow.js's own operations, on its cpu backend.
import * as tf from "@tensorflow/tfjs";
import { serve } from "./harness.mjs";

await tf.setBackend("cpu");

const tensor = ({ data, shape, dtype }) =>
  dtype === "float32" ? tf.tensor(data, shape) : tf.tensor(Int32Array.from(data, Number), shape, "int32");
const classesLast = (x) =>
  x.rank < 3 ? x : tf.transpose(x, [0, ...x.shape.map((_, i) => i).slice(2), 1]);
const classesBack = (x) =>
  x.rank < 3 ? x : tf.transpose(x, [0, x.rank - 1, ...x.shape.map((_, i) => i).slice(1, -1)]);

function nll(logP, target, weight, options) {
  const { ignore_index = -100, label_smoothing: e = 0, reduction = "mean" } = options;
  const rows = classesLast(logP), classes = rows.shape.at(-1), soft = target.dtype === "float32";
  if (!(e >= 0 && e <= 1)) throw new RangeError(`label_smoothing is ${e}`);
  const w = weight ?? tf.ones([classes]), zero = tf.scalar(0);
  tf.util.assertShapesMatch(w.shape, [classes], "weight: ");
  tf.util.assertShapesMatch(target.shape, soft ? logP.shape : rows.shape.slice(0, -1), "target: ");
  let q = soft ? classesLast(target) : null, kept = null, divisor = tf.scalar(rows.size / classes);
  if (!soft) {
    kept = tf.notEqual(target, ignore_index);
    const y = tf.where(kept, target, tf.zerosLike(target));
    q = tf.cast(tf.equal(tf.expandDims(y, -1), tf.range(0, classes, 1, "int32")), "float32");
    divisor = tf.sum(tf.where(kept, tf.gather(w, y), zero)); // gather refuses what is out of range
  }
  const k = tf.mul(w, tf.add(tf.mul(q, 1 - e), e / classes));
  const terms = tf.where(tf.equal(k, 0), zero, tf.mul(k, rows)); // 0 log 0 = 0
  const loss = tf.neg(tf.sum(terms, -1)), of_rows = kept ? tf.where(kept, loss, zero) : loss;
  if (reduction === "none") return of_rows;
  if (reduction === "sum") return tf.sum(of_rows);
  if (reduction === "mean") return tf.div(tf.sum(of_rows), divisor);
  throw new RangeError(`there is no reduction ${reduction}`);
}
const logSoftmax = (x) => classesBack(tf.logSoftmax(classesLast(x)));
const loss = (x, target, weight, options) => nll(logSoftmax(x), target, weight, options);

/** An answer of f(x, others.., options), of which x is the array of this name; or its gradient. */
const answer = (f, name, ...others) => async ({ cotangent, ...arrays }, options) => {
  const result = tf.tidy(() => {
    const [x, ...rest] = [name, ...others].map((n) => arrays[n] && tensor(arrays[n]));
    return cotangent ? tf.grad((x) => f(x, ...rest, options))(x, tensor(cotangent)) : f(x, ...rest, options);
  });
  const data = await result.data();
  result.dispose();
  return { shape: result.shape, data };
};
const fused = answer(loss, "logits", "target", "weight");
const last = answer(nll, "log_probabilities", "target", "weight");
const softmax = answer((x) => classesBack(tf.softmax(classesLast(x))), "logits");
const log_softmax = answer(logSoftmax, "logits");

await serve(
  {
    name: "tensorflowjs-composed", framework: "tensorflow.js",
    distribution: "@tensorflow/tfjs", version: tf.version.tfjs,
    description: "tf.logSoftmax, tf.oneHot and a weighted sum, cpu backend",
    links: ["https://js.tensorflow.org/api/4.22.0/#logSoftmax"],
    capabilities: {
      dtypes: ["float32"], targets: ["indices", "probabilities"], target_dtypes: ["int32", "int64"],
      shapes: ["batched", "unbatched", "spatial"],
      options: ["weight", "ignore_index", "label_smoothing", "reduction"],
      gradient: true, stages: ["softmax", "log_softmax", "nll_loss"], stage_gradients: true,
    },
  },
  {
    loss: fused, gradient: fused, softmax, log_softmax, nll_loss: last,
    softmax_vjp: softmax, log_softmax_vjp: log_softmax, nll_loss_vjp: last,
  },
);
