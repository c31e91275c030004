import { encode as encodePng } from "fast-png";
import { describe, expect, it } from "vitest";
import { decodeCompressedImage } from "../../src/wire/compressed-image.ts";
import { decodeItem } from "../../src/wire/item-codec.ts";
import { decodeRawImage } from "../../src/wire/raw-image.ts";
import { messageType } from "../../src/wire/schema.ts";
import type { WireChannel } from "../../src/wire/wire-channel.ts";

const channel: WireChannel = { stream: "s", sensor: "cam" };
const timestamp = { seconds: 12, nanos: 34_000 };
const grey = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function compressedImage(data: Uint8Array): Uint8Array {
  const type = messageType("foxglove.CompressedImage");
  return type.encode({ timestamp, data, format: "anything", frame_id: "cam" }).finish();
}

function rawImage(encoding: string, step: number, data: Uint8Array): Uint8Array {
  const type = messageType("foxglove.RawImage");
  return type.encode({ timestamp, width: 4, height: 2, encoding, step, data }).finish();
}

describe("decodeCompressedImage", () => {
  const png = encodePng({ width: 4, height: 2, data: grey, channels: 1 });

  it("makes a picture an event of its channel, at its own time", () => {
    expect(decodeCompressedImage(compressedImage(png), channel, 5)).toEqual({
      kind: "video",
      stream: "s",
      sensor: "cam",
      timeUs: 12_000_034,
      seq: 5,
      width: 4,
      height: 2,
      pixels: grey,
    });
  });

  it("is one of the schemas that decodeItem reads", () => {
    const bytes = compressedImage(png);
    const item = decodeItem("foxglove.CompressedImage", "protobuf", bytes, channel, 5);
    expect(item).toEqual(decodeCompressedImage(bytes, channel, 5));
  });

  it("crops and scales as the channel says", () => {
    const crop = { mode: "fixed", x: 1, y: 0, width: 2, height: 2 } as const;
    const cut = decodeCompressedImage(compressedImage(png), { ...channel, crop }, 0);
    expect([cut.width, cut.height, ...cut.pixels]).toEqual([2, 2, 2, 3, 6, 7]);
    const size = { width: 1, height: 1 };
    const scaled = decodeCompressedImage(compressedImage(png), { ...channel, ...size, crop }, 0);
    // (2 + 3 + 6 + 7) / 4 = 4.5, rounded up.
    expect([scaled.width, scaled.height, ...scaled.pixels]).toEqual([1, 1, 5]);
  });

  it("refuses a precropped picture of another size than the channel's, and broken ones", () => {
    const other = { ...channel, width: 48, height: 48 };
    expect(() => decodeCompressedImage(compressedImage(png), other, 0)).toThrow(
      "size must be 48x48, precropped, got 4x2",
    );
    expect(() => decodeCompressedImage(compressedImage(grey), channel, 0)).toThrow(
      "first bytes must be those of JPEG",
    );
  });
});

describe("decodeRawImage", () => {
  it("makes colours grey, with and without padding behind the rows", () => {
    const bgr = Uint8Array.from(grey, (level) => 10 * level);
    const rows = [0, 1].map((row) =>
      [...bgr.subarray(4 * row, 4 * row + 4)].flatMap((level) => [level, level, level]),
    );
    const tight = rawImage("bgr8", 12, Uint8Array.from(rows.flat()));
    const padded = rawImage("bgr8", 14, Uint8Array.from(rows.flatMap((row) => [...row, 99, 99])));
    expect(decodeRawImage(tight, channel, 0).pixels).toEqual(bgr);
    expect(decodeRawImage(padded, channel, 0).pixels).toEqual(bgr);
  });

  it("crops as the channel says", () => {
    const crop = { mode: "fixed", x: 2, y: 1, width: 2, height: 1 } as const;
    const { pixels } = decodeRawImage(rawImage("mono8", 4, grey), { ...channel, crop }, 0);
    expect([...pixels]).toEqual([7, 8]);
  });
});
