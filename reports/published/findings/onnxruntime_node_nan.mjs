// Beside a NaN the log-softmax of float64 is finite.
import * as ort from "onnxruntime-node";

// g (double[N, C] x) => (double[N, C] y) { y = LogSoftmax (x) }
const model = Buffer.from(
  "CAg6RwoUCgF4EgF5IgpMb2dTb2Z0bWF4OgASAWdaFQoBeBIQCg4ICxIKCgMSAU4KAxIBQ2IVCgF5EhAKDggL" +
  "EgoKAxIBTgoDEgFDQgQKABAN", "base64");
const session = await ort.InferenceSession.create(model);
const x = new ort.Tensor("float64", [0, NaN], [1, 2]);
const got = (await session.run({ x })).y.data[0];
console.log(`got ${got}, expected NaN`);
process.exitCode = Number(Number.isNaN(got));
