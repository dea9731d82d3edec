// A misspelt mean is a sum.
import * as ort from "onnxruntime-node";

// g (float[N, C] x, int64[M] t) => (float y) {
//   y = SoftmaxCrossEntropyLoss <reduction = "maen"> (x, t) }
const model = Buffer.from(
  "CAg6dQo6CgF4CgF0EgF5IhdTb2Z0bWF4Q3Jvc3NFbnRyb3B5TG9zcyoUCglyZWR1Y3Rpb24iBG1hZW6gAQM6" +
  "ABIBZ1oVCgF4EhAKDggBEgoKAxIBTgoDEgFDWhAKAXQSCwoJCAcSBQoDEgFNYgsKAXkSBgoECAESAEIECgAQ" +
  "DQ==", "base64");
const session = await ort.InferenceSession.create(model);
const x = new ort.Tensor("float32", [0, 0, 0, 0, 0, 0], [3, 2]);
const t = new ort.Tensor("int64", [0n, 1n, 0n]);
const got = (await session.run({ x, t })).y.data[0];
console.log(`got ${got}, expected an error`);
process.exitCode = Number(Math.abs(got - 3 * Math.LN2) > 1e-6);
