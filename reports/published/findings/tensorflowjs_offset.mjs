// The loss of logits far from 0 is 0: log-sum-exp is rounded at their size, then subtracted.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const logits = tf.tensor([[1e6 + 10, 1e6]]);
const got = tf.losses.softmaxCrossEntropy([[1, 0]], logits).arraySync();
const expected = -tf.logSoftmax(logits).arraySync()[0][0];
console.log(`got ${got}, expected ${expected}`);
process.exitCode = Number(Math.abs(got - expected) < 1e-6);
