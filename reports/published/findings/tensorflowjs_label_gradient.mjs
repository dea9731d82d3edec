// The gradient of the loss by its labels is labels - softmax, not -log softmax.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const logits = tf.tensor([[0, 1]]);
const loss = (q) => tf.losses.softmaxCrossEntropy(q, logits, undefined, 0, tf.Reduction.SUM);
const got = tf.grad(loss)(tf.tensor([[1, 0]])).arraySync()[0];
const expected = tf.neg(tf.logSoftmax(logits)).arraySync()[0];
console.log(`got ${got}, expected ${expected}`);
process.exitCode = Number(got[1] > 0); // that of class 1 is -0.73, and should be 0.31
