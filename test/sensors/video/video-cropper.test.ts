import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BoxDetector, DetectedBox } from "../../../src/sensors/video/box-detector.ts";
import type { GreyPicture } from "../../../src/sensors/video/grey-picture.ts";
import { squareAround } from "../../../src/sensors/video/square-around.ts";
import { detectorCropper, fixedCropper } from "../../../src/sensors/video/video-cropper.ts";

const box = (left: number, top: number, right: number, bottom: number): DetectedBox => {
  return { left, top, right, bottom, confidence: 1 };
};

describe("squareAround()", () => {
  it("has the middle of the box and its longer side times the margin", () => {
    expect(squareAround(box(40, 30, 60, 40), 1, 100, 100)).toEqual({
      ...{ x: 40, y: 25, width: 20, height: 20 },
    });
    expect(squareAround(box(40, 30, 60, 40), 1.5, 100, 100)).toEqual({
      ...{ x: 35, y: 20, width: 30, height: 30 },
    });
  });

  it("is moved into the picture where it would reach out, and no larger than that", () => {
    expect(squareAround(box(-5, 90, 15, 110), 1, 100, 100)).toMatchObject({ x: 0, y: 80 });
    expect(squareAround(box(0, 0, 90, 90), 2, 100, 80)).toEqual({
      ...{ x: 5, y: 0, width: 80, height: 80 },
    });
  });

  it("is always a square of whole pixels inside of the picture", () => {
    const place = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const size = fc.integer({ min: 1, max: 5000 });
    const arbitrary = fc.tuple(place, place, place, place);
    fc.assert(
      fc.property(
        arbitrary,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        size,
        size,
        ([a, b, c, d], margin, width, height) => {
          const square = squareAround(box(a, b, c, d), margin, width, height);
          expect(Object.values(square).every(Number.isSafeInteger)).toBe(true);
          expect(square.width).toBe(square.height);
          expect(square.width).toBeGreaterThan(0);
          expect(Math.min(square.x, square.y)).toBeGreaterThanOrEqual(0);
          expect(square.x + square.width).toBeLessThanOrEqual(width);
          expect(square.y + square.height).toBeLessThanOrEqual(height);
        },
      ),
      { seed: 1 },
    );
  });
});

/** Finds the brightest pixel, if it is bright. */
const brightest: BoxDetector = {
  name: "brightest",
  detect: async ({ width, pixels }) => {
    const at = pixels.indexOf(Math.max(...pixels));
    const [x, y] = [at % width, Math.floor(at / width)];
    return pixels[at]! < 100 ? undefined : box(x - 1, y - 1, x + 2, y + 2);
  },
};

describe("detectorCropper()", () => {
  const size = { width: 3, height: 3 };
  const picture = (brightAt: number): GreyPicture => {
    const pixels = Uint8Array.from({ length: 70 }, (_, i) => (i === brightAt ? 200 : i));
    return { width: 10, height: 7, pixels };
  };

  it("takes the square around what is found, and nothing where nothing is", async () => {
    const cropper = detectorCropper(brightest, 1, size);
    expect(await cropper.crop(picture(34))).toEqual({
      ...size,
      pixels: Uint8Array.of(23, 24, 25, 33, 200, 35, 43, 44, 45),
    });
    expect(await cropper.crop(picture(-1))).toBeUndefined();
  });

  it("gives the same picture whatever it saw before", async () => {
    const [one, other] = [detectorCropper(brightest, 2, size), detectorCropper(brightest, 2, size)];
    for (const at of [-1, 0, 69, -1, 12]) await one.crop(picture(at));
    expect(await one.crop(picture(45))).toEqual(await other.crop(picture(45)));
  });

  it("names detector and margin, or the box, in the convention", () => {
    expect(detectorCropper(brightest, 1.5, size).convention).toBe("crop/brightest-margin1.5/v1");
    expect(fixedCropper({ x: 1, y: 2, width: 3, height: 4 }, size).convention).toBe(
      "crop/fixed-1,2,3,4/v1",
    );
  });
});
