import { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { Tensor, Weights } from "./tensor.ts";

/** Longest header this reader accepts; the format's own limit. */
const headerBytesMax = 100_000_000;
const headerAlignment = 8;

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors, format 0.x): u64 length of
 * a JSON header, the header, then the numbers, little-endian. F64, F32 and F16 are understood; F16
 * is widened to float32.
 *
 * @throws {PolyphaseError} BAD_MODEL naming the tensor or the byte that is wrong
 */
export function decodeSafetensors(bytes: Uint8Array): Weights {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = bytes.length < 8 ? 0 : Number(view.getBigUint64(0, true));
  if (headerLength === 0 || headerLength > headerBytesMax || 8 + headerLength > bytes.length) {
    throw safetensorsError(
      `the header must fit into the file's ${bytes.length} bytes, got a header of ${headerLength}`,
    );
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerLength));
  const data = bytes.subarray(8 + headerLength);
  const weights = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") weights.set(name, decodeTensor(name, entry, data));
  }
  return weights;
}

function parseHeader(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null && !Array.isArray(header)) {
      return header as Record<string, unknown>;
    }
  } catch (cause) {
    throw safetensorsError("the header at byte 8 must be JSON", cause);
  }
  throw safetensorsError("the header at byte 8 must be a JSON object");
}

function decodeTensor(name: string, value: unknown, data: Uint8Array): Tensor {
  if (!isEntry(value)) {
    throw safetensorsError(`tensor ${name} must have dtype, shape and data_offsets`);
  }
  const [from, to] = value.data_offsets;
  const count = value.shape.reduce((product, side) => product * side, 1);
  const width = { F64: 8, F32: 4, F16: 2 }[value.dtype];
  if (width === undefined) {
    throw safetensorsError(`tensor ${name} must be F64, F32 or F16, got ${value.dtype}`);
  }
  if (from < 0 || to > data.length || to - from !== count * width) {
    throw safetensorsError(
      `tensor ${name} of shape [${value.shape.join(", ")}] must take ${count * width} bytes inside the ${data.length} of the file, got ${from} to ${to}`,
    );
  }
  // A copy is aligned wherever the file begins; `slice` of a Node Buffer would not be one.
  const copy = new Uint8Array(data.subarray(from, to)).buffer;
  const values =
    width === 8
      ? new Float64Array(copy)
      : width === 4
        ? new Float32Array(copy)
        : Float32Array.from(new Uint16Array(copy), halfToNumber);
  const bad = values.findIndex((number) => !Number.isFinite(number));
  if (bad >= 0) throw safetensorsError(`tensor ${name}[${bad}] must be finite, got ${values[bad]}`);
  return { shape: value.shape, data: values };
}

function isEntry(value: unknown): value is Entry {
  const entry = value as Partial<Entry> | null;
  return (
    typeof entry?.dtype === "string" &&
    Array.isArray(entry.shape) &&
    entry.shape.every((side) => Number.isSafeInteger(side) && side >= 0) &&
    Array.isArray(entry.data_offsets) &&
    entry.data_offsets.length === 2 &&
    entry.data_offsets.every((offset) => Number.isSafeInteger(offset))
  );
}

/** IEEE 754 binary16 to a number. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Writes weights as safetensors; the same weights give the same bytes. Names are sorted. */
export function encodeSafetensors(weights: Weights): Uint8Array {
  const names = [...weights.keys()].sort();
  const header: Record<string, Entry> = {};
  let offset = 0;
  for (const name of names) {
    const { shape, data } = weights.get(name)!;
    const dtype = data instanceof Float64Array ? "F64" : "F32";
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  const headerLength = Math.ceil(text.length / headerAlignment) * headerAlignment;
  const bytes = new Uint8Array(8 + headerLength + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(new TextEncoder().encode(text.padEnd(headerLength, " ")), 8);
  for (const name of names) {
    const { data } = weights.get(name)!;
    const at = 8 + headerLength + header[name]!.data_offsets[0];
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
  }
  return bytes;
}

function safetensorsError(what: string, cause?: unknown): PolyphaseError {
  return new PolyphaseError("BAD_MODEL", `Cannot read weights: ${what}`, { cause });
}
