// The label -1 counts from the last class.
import * as ort from "onnxruntime-node";

// g (float[N, C] x, int64[M] t) => (float y) { y = SoftmaxCrossEntropyLoss  (x, t) }
const model = Buffer.from(
  "CAg6XwokCgF4CgF0EgF5IhdTb2Z0bWF4Q3Jvc3NFbnRyb3B5TG9zczoAEgFnWhUKAXgSEAoOCAESCgoDEgFO" +
  "CgMSAUNaEAoBdBILCgkIBxIFCgMSAU1iCwoBeRIGCgQIARIAQgQKABAN", "base64");
const session = await ort.InferenceSession.create(model);
const x = new ort.Tensor("float32", [0, 1, 2], [1, 3]);
const t = new ort.Tensor("int64", [-1n]);
const got = (await session.run({ x, t })).y.data[0];
console.log(`got ${got}, expected an error`);
process.exitCode = Number(Math.abs(got - 0.4076059) > 1e-6);
