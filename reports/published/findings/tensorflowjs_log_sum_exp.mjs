// The log-sum-exp of a row of -Infinity is NaN.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const row = tf.tensor([-Infinity, -Infinity]);
const got = tf.logSumExp(row).arraySync();
const expected = tf.log(tf.sum(tf.exp(row))).arraySync();
console.log(`got ${got}, expected ${expected}`);
process.exitCode = Number(got === expected);
