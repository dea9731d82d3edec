// On the wasm backend the sum of nothing is what its memory held: of another tensor, here.
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";

await tf.setBackend("wasm");
const got = [1, 2, 3, 4].map((number) => {
  tf.tensor([number]).dispose();
  return tf.sum(tf.zeros([0])).arraySync();
});
console.log(`got ${got}, expected 0,0,0,0`);
process.exitCode = Number(got.every((sum) => sum === 0));
