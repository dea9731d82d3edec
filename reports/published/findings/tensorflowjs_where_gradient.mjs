// The gradient of what tf.where does not select is 0 times the cotangent: here 0 * Infinity.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const root = (x) => tf.sum(tf.sqrt(tf.where([true, false], x, [0, 0])));
const got = tf.grad(root)(tf.tensor([1, 1])).arraySync();
console.log(`got ${got}, expected 0.5,0`);
process.exitCode = Number(got[1] === 0);
