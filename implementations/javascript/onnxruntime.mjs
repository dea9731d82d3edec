// ONNX Runtime's operators for the loss and its steps, on the CPU.
import * as ort from "onnxruntime-node";
import { serve } from "./harness.mjs";
import { model } from "./onnx.mjs";

const sessions = new Map();

async function run(operator, inputs, attributes) {
  const dtypes = Object.fromEntries(Object.entries(inputs).map(([n, a]) => [n, a.dtype]));
  const key = JSON.stringify([operator, dtypes, attributes]);
  if (!sessions.has(key)) {
    const session = await ort.InferenceSession.create(model(operator, dtypes, attributes));
    sessions.set(key, session);
  }
  const feeds = Object.entries(inputs).map(([name, { dtype, data, shape }]) =>
    [name, new ort.Tensor(dtype, data, shape)]);
  const { y } = await sessions.get(key).run(Object.fromEntries(feeds));
  return { shape: y.dims, data: y.data };
}
const classes = { axis: 1 };
const ignoring = { ignore_index: -100 }; // the operators' own default is none

await serve(
  {
    name: "onnxruntime-node", framework: "onnxruntime", distribution: "onnxruntime-node",
    version: ort.env.versions.node,
    description: "ONNX Runtime for Node.js, the operator SoftmaxCrossEntropyLoss",
    links: ["https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html"],
    capabilities: {
      dtypes: ["float64", "float32", "float16"], target_dtypes: ["int64", "int32"],
      shapes: ["batched", "spatial"], options: ["weight", "ignore_index", "reduction"],
      stages: ["softmax", "log_softmax", "nll_loss"],
    },
  },
  {
    loss: (arrays, options) => run("SoftmaxCrossEntropyLoss", arrays, { ...ignoring, ...options }),
    softmax: (arrays) => run("Softmax", arrays, classes),
    log_softmax: (arrays) => run("LogSoftmax", arrays, classes),
    nll_loss: (arrays, options) => run("NegativeLogLikelihoodLoss", arrays, { ...ignoring, ...options }),
  },
);
