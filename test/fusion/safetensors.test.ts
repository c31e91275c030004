import { describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../src/fusion/safetensors.ts";
import type { Tensor } from "../../src/fusion/tensor.ts";

const weights = new Map<string, Tensor>([
  ["b", { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 1e-30) }],
  ["a.period_us", { shape: [1], data: Float64Array.of(1 / 3) }],
]);

/** Bytes of a file with the given header and data. */
function file(header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

describe("encodeSafetensors() and decodeSafetensors()", () => {
  it("keep names, shapes, types and bits", () => {
    const read = decodeSafetensors(encodeSafetensors(weights));
    expect([...read.keys()]).toEqual(["a.period_us", "b"]);
    expect(read.get("b")).toEqual(weights.get("b"));
    expect(read.get("a.period_us")!.data).toEqual(Float64Array.of(1 / 3));
  });

  it("read a Buffer that is a part of a larger one", () => {
    const padded = Buffer.concat([Buffer.alloc(3), encodeSafetensors(weights), Buffer.alloc(5)]);
    const read = decodeSafetensors(padded.subarray(3, padded.length - 5));
    expect(read.get("b")).toEqual(weights.get("b"));
  });

  it("do not depend on the order of the names", () => {
    const reversed = new Map([...weights].reverse());
    expect(encodeSafetensors(reversed)).toEqual(encodeSafetensors(weights));
  });

  it("widen float16 exactly", () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x3555, 0x8000);
    const header = '{"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}';
    const { data } = decodeSafetensors(file(header, new Uint8Array(bits.buffer))).get("h")!;
    expect([...data]).toEqual([1, -2, 2 ** -24, 65504, 0.333251953125, -0]);
  });

  it.each([
    ["an empty file", new Uint8Array(0), "the header must fit into the file's 0 bytes"],
    ["a header longer than the file", encodeSafetensors(weights).subarray(0, 20), "must fit into"],
    ["a header that is no JSON", file("{nope"), "the header at byte 8 must be JSON"],
    ["a list", file("[]   "), "the header at byte 8 must be a JSON object"],
    [
      "a truncated tensor",
      encodeSafetensors(weights).subarray(0, -1),
      "tensor b of shape [2, 2] must take 16 bytes",
    ],
    [
      "an unknown type",
      file('{"x":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}'),
      "tensor x must be F64, F32 or F16, got I8",
    ],
    [
      "a tensor without shape",
      file('{"x":{"dtype":"F32"}}'),
      "tensor x must have dtype, shape and data_offsets",
    ],
    [
      "NaN",
      file(
        '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        new Uint8Array(Float32Array.of(Number.NaN).buffer),
      ),
      "tensor x[0] must be finite, got NaN",
    ],
  ])("refuse %s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });
});
