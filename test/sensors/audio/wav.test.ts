import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWav } from "../../../src/sensors/audio/wav.ts";
import { PolyphaseError } from "../../../src/sensors/polyphase-error.ts";

interface WavFields {
  readonly format?: number;
  readonly channels?: number;
  readonly bits?: number;
  /** Instead of 16-bit samples. */
  readonly data?: Buffer;
  readonly isExtensible?: boolean;
  readonly dataBytes?: number;
  readonly before?: Buffer;
}

function wav(samples: readonly number[], fields: WavFields = {}): Buffer {
  const { format = 1, channels = 1, bits = 16, before = Buffer.alloc(0) } = fields;
  const { isExtensible = false, data = Buffer.from(Int16Array.from(samples).buffer) } = fields;
  const fmt = Buffer.alloc(isExtensible ? 48 : 24);
  fmt.write("fmt ", "latin1");
  fmt.writeUInt32LE(fmt.length - 8, 4);
  fmt.writeUInt16LE(isExtensible ? 0xfffe : format, 8);
  if (isExtensible) fmt.writeUInt16LE(format, 32);
  fmt.writeUInt16LE(channels, 10);
  fmt.writeUInt32LE(8000, 12);
  fmt.writeUInt32LE(16_000, 16);
  fmt.writeUInt16LE(2, 20);
  fmt.writeUInt16LE(bits, 22);
  const head = Buffer.alloc(8);
  head.write("data", "latin1");
  head.writeUInt32LE(fields.dataBytes ?? data.length, 4);
  const riff = Buffer.from("RIFF\0\0\0\0WAVE", "latin1");
  return Buffer.concat([riff, fmt, before, head, data]);
}

describe("decodeWav", () => {
  it("reads samples and rate", () => {
    const { sampleRate, samples } = decodeWav(wav([1, -2, 32_767, -32_768]));
    expect(samples).toBeInstanceOf(Int16Array);
    expect(sampleRate).toBe(8000);
    expect([...samples]).toEqual([1, -2, 32_767, -32_768]);
  });

  it("skips other chunks, padded to even length", () => {
    const before = Buffer.from("LIST\x03\0\0\0abc\0", "latin1");
    expect([...decodeWav(wav([5], { before })).samples]).toEqual([5]);
  });

  it("ends a data chunk of unknown length with the file", () => {
    expect([...decodeWav(wav([7, 8], { dataBytes: 0x7ffff000 })).samples]).toEqual([7, 8]);
  });

  it("reads other widths and floats with full scale at 1", () => {
    const int32 = Buffer.alloc(8);
    int32.writeInt32LE(-(2 ** 31));
    int32.writeInt32LE(2 ** 29, 4);
    const files: readonly WavFields[] = [
      { bits: 8, data: Buffer.from([0, 160]) },
      { bits: 24, data: Buffer.from([0, 0, 0x80, 0, 0, 0x20]) },
      { bits: 32, data: int32 },
      { format: 3, bits: 32, data: Buffer.from(Float32Array.of(-1, 0.25).buffer) },
      { format: 3, bits: 64, data: Buffer.from(Float64Array.of(-1, 0.25).buffer) },
    ];
    for (const fields of files) {
      for (const isExtensible of [false, true]) {
        expect([...decodeWav(wav([], { ...fields, isExtensible })).samples]).toEqual([-1, 0.25]);
      }
    }
  });

  it("makes several channels one, their mean, and leaves out half a frame at the end", () => {
    const stereo = wav([16_384, 0, -32_768, -32_768, 5], { channels: 2 });
    expect([...decodeWav(stereo).samples]).toEqual([0.25, -1]);
  });

  it("refuses what it would misread, with the place", () => {
    expect(() => decodeWav(Buffer.from("{}"))).toThrow('file at byte 0 must be "RIFF", got "{}"');
    expect(() => decodeWav(wav([1], { channels: 0 }))).toThrow(
      "channels at byte 22 must be 1 to 64, got 0",
    );
    expect(() => decodeWav(wav([1], { bits: 12 }))).toThrow(
      "format at byte 20 must be PCM (1) of 8, 16, 24 or 32 bits or floats (3) of 32 or 64, got 1 of 12 bits",
    );
    expect(() => decodeWav(wav([1], { format: 2, isExtensible: true }))).toThrow(
      "format at byte 44 must be PCM",
    );
    expect(() => decodeWav(Buffer.from("RIFF\0\0\0\0AVI "))).toThrow(
      'form at byte 8 must be "WAVE"',
    );
    expect(() => decodeWav(wav([1]).subarray(0, 36))).toThrow(
      'chunks at byte 36 must include "data"',
    );
  });

  it("meets any bytes with samples or a PolyphaseError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(60), (noise, at) => {
        const bytes = wav([1, 2, 3, 4]);
        bytes.set(
          noise.subarray(0, bytes.length - Math.min(at, bytes.length)),
          Math.min(at, bytes.length),
        );
        try {
          decodeWav(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(PolyphaseError);
        }
      }),
    );
  });
});
