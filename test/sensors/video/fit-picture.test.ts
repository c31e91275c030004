import fc from "fast-check";
import { expect, test } from "vitest";
import { fitPicture, letterboxGrey } from "../../../src/sensors/video/fit-picture.ts";
import type { GreyPicture } from "../../../src/sensors/video/grey-picture.ts";

const plain = (width: number, height: number, grey: number): GreyPicture => ({
  ...{ width, height, pixels: new Uint8Array(width * height).fill(grey) },
});
const rowsOf = ({ width, height, pixels }: GreyPicture): number[][] =>
  Array.from({ length: height }, (_, row) => [...pixels.subarray(row * width, (row + 1) * width)]);

test("fitPicture in a letterbox keeps proportions and fills both sides with one grey", () => {
  const wide = fitPicture(plain(8, 2, 200), { width: 4, height: 4 }, "letterbox");
  expect(wide.place).toEqual({ x: 0, y: 1, width: 4, height: 1 });
  const bar = Array.from({ length: 4 }, () => letterboxGrey);
  expect(rowsOf(wide.picture)).toEqual([bar, [200, 200, 200, 200], bar, bar]);
  const high = fitPicture(plain(4, 8, 200), { width: 4, height: 4 }, "letterbox");
  expect(high.place).toEqual({ x: 1, y: 0, width: 2, height: 4 });
  const row = [letterboxGrey, 200, 200, letterboxGrey];
  expect(rowsOf(high.picture)).toEqual([row, row, row, row]);
});

test("fitPicture stretches to all of the size", () => {
  const { picture, place } = fitPicture(plain(8, 2, 200), { width: 4, height: 4 }, "stretch");
  expect(place).toEqual({ x: 0, y: 0, width: 4, height: 4 });
  expect(picture).toEqual(plain(4, 4, 200));
});

const side = fc.integer({ min: 1, max: 40 });

test("fitPicture has the picture where it says, whatever the sizes, and grey everywhere else", () => {
  fc.assert(
    fc.property(side, side, side, side, (width, height, newWidth, newHeight) => {
      const size = { width: newWidth, height: newHeight };
      const { picture, place } = fitPicture(plain(width, height, 7), size, "letterbox");
      expect([picture.width, picture.height]).toEqual([newWidth, newHeight]);
      const inside = picture.pixels.filter((pixel) => pixel === 7).length;
      expect(inside).toBe(place.width * place.height);
      expect(picture.pixels.filter((pixel) => pixel === letterboxGrey).length).toBe(
        newWidth * newHeight - inside,
      );
      // One side is filled, the other is off by its rounding.
      expect(place.width === newWidth || place.height === newHeight).toBe(true);
      const scale = Math.min(newWidth / width, newHeight / height);
      expect(Math.abs(place.width - Math.max(1, width * scale))).toBeLessThanOrEqual(0.5 + 1e-9);
      expect(Math.abs(place.height - Math.max(1, height * scale))).toBeLessThanOrEqual(0.5 + 1e-9);
      const behind = newWidth - place.width - place.x;
      expect(behind - place.x).toBeGreaterThanOrEqual(0);
      expect(behind - place.x).toBeLessThanOrEqual(1);
    }),
  );
});
