// Broadcast to a shape without elements, a scalar has an element.
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const got = tf.broadcastTo(tf.scalar(0), [1, 0]).shape;
console.log(`got the shape ${got}, expected 1,0`);
process.exitCode = Number(String(got) === "1,0");
