// One class has no one-hot labels.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
let got;
try {
  got = tf.oneHot(tf.tensor([0, 0], [2], "int32"), 1).shape;
} catch (error) {
  got = error.message;
}
console.log(`got ${got}, expected the shape 2,1`);
process.exitCode = Number(!String(got).includes("depth"));
