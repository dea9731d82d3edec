// An ONNX model of one operator, as the bytes of its protobuf: fields of onnx.proto by number.

function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
function field(number, value) { // an integer, or else text or a message, behind its length
  if (typeof value === "number" || typeof value === "bigint")
    return [...varint(number << 3), ...varint(value)];
  const bytes = typeof value === "string" ? [...Buffer.from(value)] : value.flat();
  return [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes];
}

const ELEMENTS = { float32: 1, int32: 6, int64: 7, float16: 10, float64: 11 };

/** inputs: {name: dtype}, in order; attributes: {name: a word or an integer}; the output is y. */
export function model(operator, inputs, attributes, opset = 17) {
  const value = (name, dtype) =>
    [field(1, name), field(2, [field(1, [field(1, ELEMENTS[dtype])])])];
  const attribute = ([name, is]) =>
    field(5, [field(1, name), ...(typeof is === "string"
      ? [field(4, is), field(20, 3)] : [field(3, is), field(20, 2)])]);
  const node = [
    ...Object.keys(inputs).map((name) => field(1, name)), field(2, "y"), field(4, operator),
    ...Object.entries(attributes).map(attribute),
  ];
  const graph = [
    field(1, node), field(2, "g"),
    ...Object.entries(inputs).map(([name, dtype]) => field(11, value(name, dtype))),
    field(12, value("y", Object.values(inputs)[0])),
  ];
  return Uint8Array.from([field(1, 8), field(8, [field(2, opset)]), field(7, graph)].flat());
}
