// Cross-entropy in plain JavaScript, in float64 and float32: the reference harness.
import { serve } from "./harness.mjs";

const capabilities = {
  dtypes: ["float64", "float32"],
  options: ["weight", "ignore_index", "label_smoothing", "reduction"],
  targets: ["indices", "probabilities"],
  shapes: ["batched", "unbatched", "spatial"],
  target_dtypes: ["int64", "int32", "int16", "int8", "uint8"],
  gradient: true,
};

/** Calls visit(place(c), row) for every row: its number, and where its logit of class c is. */
function rows(shape, visit) {
  const [batch, classes] = shape.length > 1 ? shape : [1, shape[0]];
  const inner = shape.slice(2).reduce((a, b) => a * b, 1);
  for (let n = 0, row = 0; n < batch; n++)
    for (let d = 0; d < inner; d++, row++) visit((c) => (n * classes + c) * inner + d, row);
  return [classes, batch * inner];
}

/** The loss and its gradient: of a row, -sum_c k_c log p_c and p_c sum_j k_j - k_c. */
function compute({ logits, target, weight, cotangent }, options) {
  const { ignore_index = -100, label_smoothing = 0, reduction = "mean" } = options;
  const x = logits.data, shape = logits.shape;
  const [classes, count] = rows(shape, () => {});
  const outer = shape.length > 1 ? [shape[0], ...shape.slice(2)] : [];
  const soft = target.dtype.startsWith("float");
  check(label_smoothing >= 0 && label_smoothing <= 1, `label_smoothing is ${label_smoothing}`);
  check(["none", "mean", "sum"].includes(reduction), `there is no reduction ${reduction}`);
  check(!weight || same(weight.shape, [classes]), `weight has shape [${weight?.shape}]`);
  check(same(target.shape, soft ? shape : outer),
    `target has ${target.dtype} [${target.shape}], logits [${shape}]`);

  const loss = new Float64Array(count), gradient = new Float64Array(x.length);
  let divisor = soft ? count : 0;
  rows(shape, (at, row) => {
    const label = soft ? null : Number(target.data[row]);
    if (label === ignore_index) return;
    check(soft || (label >= 0 && label < classes), `class ${label} of ${classes}`);
    const w = (c) => (weight ? weight.data[c] : 1);
    if (!soft) divisor += w(label);
    let top = -Infinity, sum = 0, total = 0;
    for (let c = 0; c < classes; c++) {
      if (Number.isNaN(x[at(c)])) top = NaN;
      else if (x[at(c)] > top) top = x[at(c)];
    }
    for (let c = 0; c < classes; c++) sum += Math.exp(x[at(c)] - top);
    const log = Math.log(sum), k = new Float64Array(classes);
    for (let c = 0; c < classes; c++) {
      const q = soft ? target.data[at(c)] : Number(c === label);
      k[c] = w(c) * ((1 - label_smoothing) * q + label_smoothing / classes);
      if (k[c] !== 0) loss[row] += k[c] * (log - (x[at(c)] - top)); // 0 log 0 = 0
      total += k[c];
    }
    const g = cotangent ? cotangent.data[reduction === "none" ? row : 0] : 0;
    for (let c = 0; c < classes; c++)
      gradient[at(c)] = g * ((Math.exp(x[at(c)] - top) / sum) * total - k[c]);
  });
  if (reduction === "mean") // where all rows are ignored, 0 / 0 would not be 0
    for (let i = 0; i < x.length; i++) if (gradient[i]) gradient[i] /= divisor;
  if (reduction === "none") return { loss: { shape: outer, data: loss }, gradient };
  const sum = loss.reduce((a, b) => a + b, 0);
  return { loss: { shape: [], data: [reduction === "mean" ? sum / divisor : sum] }, gradient };
}

function check(holds, message) {
  if (!holds) throw new RangeError(message);
}

function same(a, b) {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

await serve(
  {
    name: "javascript-stable", framework: "javascript", distribution: "node",
    version: process.versions.node, capabilities,
    description: "Plain JavaScript, in double precision: shift by the maximum, log-sum-exp",
    links: ["https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html"],
  },
  {
    loss: (arrays, options) => compute(arrays, options).loss,
    gradient: (arrays, options) =>
      ({ shape: arrays.logits.shape, data: compute(arrays, options).gradient }),
  },
);
