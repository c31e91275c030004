import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cropPicture } from "../../../src/sensors/video/crop-picture.ts";
import type { GreyPicture } from "../../../src/sensors/video/grey-picture.ts";

function picture(
  width: number,
  height: number,
  greyAt: (x: number, y: number) => number,
): GreyPicture {
  const pixels = Uint8Array.from({ length: width * height }, (_, p) =>
    greyAt(p % width, Math.floor(p / width)),
  );
  return { width, height, pixels };
}

describe("cropPicture", () => {
  it("passes on a precropped picture, and refuses one of another size", () => {
    const precropped = { mode: "precropped" } as const;
    const size = { width: 2, height: 3 };
    const given = picture(2, 3, (x) => x);
    expect(cropPicture(given, precropped, size)).toBe(given);
    expect(() =>
      cropPicture(
        picture(3, 2, () => 0),
        precropped,
        size,
      ),
    ).toThrow("Cannot crop picture: size must be 2x3, precropped, got 3x2");
  });

  it("cuts out a fixed rectangle exactly where no scaling is needed", () => {
    const crop = { mode: "fixed", x: 2, y: 1, width: 3, height: 2 } as const;
    const cut = cropPicture(
      picture(9, 7, (x, y) => 10 * y + x),
      crop,
      { width: 3, height: 2 },
    );
    expect([...cut.pixels]).toEqual([12, 13, 14, 22, 23, 24]);
  });

  it("takes means over whole blocks, rounded half up", () => {
    const crop = { mode: "fixed", x: 0, y: 0, width: 4, height: 2 } as const;
    const given = { width: 4, height: 2, pixels: Uint8Array.of(0, 1, 10, 20, 0, 1, 30, 40) };
    const half = cropPicture(given, crop, { width: 2, height: 1 });
    expect([...half.pixels]).toEqual([1, 25]);
  });

  it("weighs pixels by how much of them lies under a new one", () => {
    const crop = { mode: "fixed", x: 0, y: 0, width: 3, height: 1 } as const;
    const given = { width: 3, height: 1, pixels: Uint8Array.of(0, 90, 240) };
    const scaled = cropPicture(given, crop, { width: 2, height: 1 });
    expect([...scaled.pixels]).toEqual([30, 190]);
  });

  it("keeps a flat picture flat and never leaves the range of its pixels", () => {
    const sides = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(sides, sides, sides, sides, fc.nat(255), (w, h, newW, newH, level) => {
        const crop = { mode: "fixed", x: 1, y: 2, width: w, height: h } as const;
        const size = { width: newW, height: newH };
        const flat = cropPicture(
          picture(w + 3, h + 3, () => level),
          crop,
          size,
        );
        expect(flat.pixels.every((grey) => grey === level)).toBe(true);
        const ramp = cropPicture(
          picture(w + 3, h + 3, (x, y) => 100 + x + y),
          crop,
          size,
        );
        expect(Math.min(...ramp.pixels)).toBeGreaterThanOrEqual(103);
        expect(Math.max(...ramp.pixels)).toBeLessThanOrEqual(103 + w - 1 + h - 1);
      }),
      { numRuns: 100 },
    );
  });

  it("refuses a crop that leaves the picture or is not whole", () => {
    const size = { width: 2, height: 2 };
    const given = picture(10, 10, () => 0);
    const crop = { mode: "fixed", x: 6, y: 0, width: 5, height: 5 } as const;
    expect(() => cropPicture(given, crop, size)).toThrow(
      "size must be at least 11x5 for the fixed crop, got 10x10",
    );
    for (const wrong of [{ x: -1 }, { y: 0.5 }, { width: 0 }]) {
      expect(() => cropPicture(given, { ...crop, ...wrong }, size)).toThrow(RangeError);
    }
  });
});
