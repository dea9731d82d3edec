// One row and three weights: the loss is broadcast to the weights, and has three rows.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
let got;
try {
  const none = tf.Reduction.NONE;
  got = tf.losses.softmaxCrossEntropy([[1, 0]], [[0, 0]], [1, 2, 3], 0, none).arraySync();
} catch {
  got = "an error";
}
console.log(`got ${got}, expected an error`);
process.exitCode = Number(got === "an error");
