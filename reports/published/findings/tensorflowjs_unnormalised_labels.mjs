// The gradient of labels that do not sum to 1 is softmax - labels, and not that of the loss.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const labels = tf.tensor([[2, 0]]);
const loss = (x) => tf.losses.softmaxCrossEntropy(labels, x, undefined, 0, tf.Reduction.SUM);
const got = tf.grad(loss)(tf.zeros([1, 2])).arraySync()[0];
console.log(`got ${got}, expected -1,1`);
process.exitCode = Number(got[0] === -1);
