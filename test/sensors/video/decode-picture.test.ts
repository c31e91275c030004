import fc from "fast-check";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { describe, expect, it } from "vitest";
import { PolyphaseError } from "../../../src/sensors/polyphase-error.ts";
import { decodePicture } from "../../../src/sensors/video/decode-picture.ts";

const width = 9;
const height = 5;
const grey = Uint8Array.from({ length: width * height }, (_, p) => (p * 37) % 256);

/** A smooth grey picture as JPEG; the encoder takes RGBA. */
function jpegOf(side: number, greyAt: (x: number, y: number) => number): Uint8Array {
  const data = new Uint8Array(4 * side * side);
  for (let p = 0; p < side * side; p += 1) {
    data.fill(greyAt(p % side, Math.floor(p / side)), 4 * p, 4 * p + 3);
  }
  return encodeJpeg({ width: side, height: side, data }, 95).data;
}

describe("decodePicture", () => {
  it("keeps the values of a grey PNG", () => {
    const png = encodePng({ width, height, data: grey, channels: 1 });
    expect(decodePicture(png)).toEqual({ width, height, pixels: grey });
  });

  it("takes the upper byte of 16 bits, and leaves opacity aside", () => {
    const data = Uint16Array.from(grey, (value) => value * 256 + 200);
    const deep = encodePng({ width, height, data, channels: 1, depth: 16 });
    expect(decodePicture(deep).pixels).toEqual(grey);
    const withOpacity = Uint8Array.from({ length: 2 * grey.length }, (_, i) =>
      i % 2 === 0 ? grey[i / 2]! : 7,
    );
    const translucent = encodePng({ width, height, data: withOpacity, channels: 2 });
    expect(decodePicture(translucent).pixels).toEqual(grey);
  });

  it("makes colours grey by their luma", () => {
    const data = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255);
    const png = encodePng({ width: 4, height: 1, data, channels: 3 });
    expect([...decodePicture(png).pixels]).toEqual([77, 149, 29, 255]);
    const palette = [
      [0, 0, 0] as [number, number, number],
      [10, 20, 30] as [number, number, number],
    ];
    const indexed = encodePng({
      width: 2,
      height: 1,
      data: Uint8Array.of(1, 0),
      channels: 1,
      palette,
    });
    expect([...decodePicture(indexed).pixels]).toEqual([18, 0]);
  });

  it("decodes a JPEG to within its loss", () => {
    const { pixels, ...size } = decodePicture(jpegOf(48, (x, y) => 2 * x + 3 * y));
    expect(size).toEqual({ width: 48, height: 48 });
    for (let p = 0; p < pixels.length; p += 1) {
      const expected = 2 * (p % 48) + 3 * Math.floor(p / 48);
      expect(Math.abs(pixels[p]! - expected)).toBeLessThanOrEqual(3);
    }
  });

  it("refuses other formats, and pictures too large, before decoding them", () => {
    expect(() => decodePicture(Uint8Array.of(71, 73, 70, 56))).toThrow(
      "first bytes must be those of JPEG (255 216) or PNG (137 80 78 71), got 71 73 70 56",
    );
    expect(() => decodePicture(new Uint8Array(0))).toThrow(PolyphaseError);
    const png = encodePng({ width, height, data: grey, channels: 1 });
    new DataView(png.buffer).setUint32(16, 5_000_000);
    expect(() => decodePicture(png)).toThrow("at most 16777216 pixels, got 5000000 x 5");
    const jpeg = jpegOf(16, () => 100);
    const frame = Buffer.from(jpeg).indexOf(Buffer.of(0xff, 0xc0));
    new DataView(jpeg.buffer, jpeg.byteOffset).setUint32(frame + 5, 0xffff_ffff);
    expect(() => decodePicture(jpeg)).toThrow("Cannot decode picture: maxResolutionInMP");
  });

  it("refuses a picture that is cut off or damaged, never giving half of one", () => {
    const png = encodePng({ width, height, data: grey, channels: 1 });
    const jpeg = jpegOf(32, (x, y) => (x * y) % 256);
    for (const picture of [png, jpeg]) {
      expect(() => decodePicture(picture.subarray(0, picture.length >> 1))).toThrow(PolyphaseError);
    }
    const damaged = png.slice();
    damaged[png.length - 20]! ^= 1;
    expect(() => decodePicture(damaged)).toThrow(PolyphaseError);
  });

  it("meets any bytes with a picture or a PolyphaseError", () => {
    const pictures = [
      encodePng({ width, height, data: grey, channels: 1 }),
      jpegOf(16, (x) => 10 * x),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...pictures),
        fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { maxLength: 4 }),
        (picture, changes) => {
          const bytes = picture.slice();
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          try {
            const { pixels, ...size } = decodePicture(bytes);
            expect(pixels.length).toBe(size.width * size.height);
          } catch (error) {
            expect(error).toBeInstanceOf(PolyphaseError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
