// The protocol of docs/protocol.md: serve(hello, answers) reads questions and writes answers.
//
// answers.loss(arrays, options) gets {logits, target, ..}, each {dtype, shape, data}, and returns
// {shape, data}, of the logits' dtype unless it says another; so do answers.gradient and the rest.

export const TYPES = {
  float64: Float64Array, float32: Float32Array, float16: Uint16Array, bfloat16: Uint16Array,
  int64: BigInt64Array, uint64: BigUint64Array, int32: Int32Array, uint32: Uint32Array,
  int16: Int16Array, uint16: Uint16Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};

/** JSON has names for what is not finite. */
const number = (said) => ({ nan: NaN, inf: Infinity, "-inf": -Infinity })[said] ?? said;

/** Float16Array, which newer Node.js has, holds the bits that are sent. */
const bits = (data) => globalThis.Float16Array && data instanceof Float16Array
  ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;

/** The name of an exception as the protocol has it. */
const word = (name) => String(name ?? "").replace(/[^!-.0-~]+/g, "_").slice(0, 100) || "Error";

/** Of a message: a line has 65,536 bytes, a character in JSON has 6 at most. */
const LONGEST = 10_000;

/** What a harness cannot be asked after all: the suite counts it as unsupported, not as wrong. */
export class Unsupported extends Error {}

export async function serve(hello, answers) {
  const input = process.stdin[Symbol.asyncIterator]();
  let buffer = Buffer.alloc(0);

  async function more() {
    const { value, done } = await input.next();
    if (!done) buffer = buffer.length ? Buffer.concat([buffer, value]) : value;
    return !done;
  }
  async function take(size) { // exactly so many bytes, in memory of their own
    const parts = [];
    for (let left = size; left;) {
      if (!buffer.length && !(await more())) process.exit(0);
      parts.push(buffer.subarray(0, left));
      left -= parts.at(-1).length;
      buffer = buffer.subarray(parts.at(-1).length);
    }
    return new Uint8Array(Buffer.concat(parts)).buffer;
  }
  async function line() { // null where the suite is done
    while (!buffer.includes(10)) if (!(await more())) return null;
    const end = buffer.indexOf(10), text = buffer.toString("utf8", 0, end);
    buffer = buffer.subarray(end + 1);
    return text;
  }
  const send = (header, bytes) => new Promise((sent) => {
    process.stdout.write(JSON.stringify(header) + "\n");
    process.stdout.write(bytes, sent);
  });

  await send({ protocol: 1, ...hello }, "");
  for (let text; (text = await line()) !== null;) {
    const { id, ask, options, arrays: described } = JSON.parse(text), arrays = {};
    for (const array of described) array.content = await take(array.bytes);
    if ("label_smoothing" in options) options.label_smoothing = number(options.label_smoothing);
    try {
      for (const { name, dtype, shape, content } of described)
        arrays[name] = { dtype, shape, data: new TYPES[dtype](content) };
      const dtype = (arrays.logits ?? arrays.log_probabilities).dtype;
      const answer = { dtype, ...(await answers[ask](arrays, options)) };
      const data = TYPES[answer.dtype].from(bits(answer.data));
      await send({ id, dtype: answer.dtype, shape: answer.shape, bytes: data.byteLength },
        Buffer.from(data.buffer));
    } catch (error) {
      const kind = error instanceof Unsupported ? "unsupported" : "raised";
      const message = String(error?.message ?? error).slice(0, LONGEST);
      await send({ id, error: { kind, type: word(error?.name), message } }, "");
    }
  }
}
