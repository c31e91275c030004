import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWav } from "../../../src/sensors/audio/wav.ts";
import { PolyphaseError } from "../../../src/sensors/polyphase-error.ts";

interface WavFields {
  readonly format?: number;
  readonly channels?: number;
  readonly bits?: number;
  readonly dataBytes?: number;
  readonly before?: Buffer;
}

function wav(samples: readonly number[], fields: WavFields = {}): Buffer {
  const { format = 1, channels = 1, bits = 16, before = Buffer.alloc(0) } = fields;
  const data = Buffer.from(Int16Array.from(samples).buffer);
  const fmt = Buffer.alloc(24);
  fmt.write("fmt ", "latin1");
  fmt.writeUInt32LE(16, 4);
  fmt.writeUInt16LE(format, 8);
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

  it("refuses what it would misread, with the place", () => {
    expect(() => decodeWav(wav([1], { channels: 2 }))).toThrow(
      "channels at byte 22 must be 1, got 2",
    );
    expect(() => decodeWav(wav([1], { bits: 8 }))).toThrow("bits per sample at byte 34 must be 16");
    expect(() => decodeWav(wav([1], { format: 3 }))).toThrow("format at byte 20 must be 1 (PCM)");
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
