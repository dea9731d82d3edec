// A class masked by -Infinity makes the loss of a one-hot label NaN.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const got = tf.losses.softmaxCrossEntropy([[1, 0, 0]], [[1, -Infinity, 2]]).arraySync();
const expected = tf.losses.softmaxCrossEntropy([[1, 0]], [[1, 2]]).arraySync();
console.log(`got ${got}, expected ${expected}`);
process.exitCode = Number(got === expected);
