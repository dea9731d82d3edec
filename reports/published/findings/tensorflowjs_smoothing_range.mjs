// A label smoothing of 1.5 is accepted: the loss is less than without.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
let got;
try {
  got = tf.losses.softmaxCrossEntropy([[1, 0]], [[1, 2]], undefined, 1.5).arraySync();
} catch {
  got = "an error";
}
console.log(`got ${got}, expected an error`);
process.exitCode = Number(got === "an error");
