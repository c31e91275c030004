import { describe, expect, it } from "vitest";
import {
  bytesPerPixel,
  isPixelEncoding,
  lumaInto,
  type PixelEncoding,
} from "../../../src/sensors/video/pixel-layout.ts";

describe("lumaInto", () => {
  it("finds red, green and blue in every encoding", () => {
    const rgb: readonly (readonly [PixelEncoding, readonly number[]])[] = [
      ["rgb8", [200, 100, 50]],
      ["bgr8", [50, 100, 200]],
      ["rgba8", [200, 100, 50, 9]],
      ["bgra8", [50, 100, 200, 9]],
    ];
    for (const [encoding, pixel] of rgb) {
      const out = new Uint8Array(2);
      lumaInto(out, Uint8Array.from([...pixel, ...pixel]), encoding);
      // 0.299 · 200 + 0.587 · 100 + 0.114 · 50
      expect([...out]).toEqual([124, 124]);
      expect(bytesPerPixel(encoding)).toBe(pixel.length);
    }
  });

  it("leaves grey as it is", () => {
    const grey = Uint8Array.from({ length: 256 }, (_, value) => value);
    for (const encoding of ["mono8", "8UC1"] as const) {
      const out = new Uint8Array(256);
      lumaInto(out, grey, encoding);
      expect(out).toEqual(grey);
    }
  });

  it("refuses data of another length", () => {
    expect(() => lumaInto(new Uint8Array(2), new Uint8Array(5), "rgb8")).toThrow(
      "data must have 6 bytes, got 5",
    );
  });
});

describe("isPixelEncoding", () => {
  it("knows the encodings that can be made grey, and nothing else", () => {
    expect(isPixelEncoding("bgr8")).toBe(true);
    expect(isPixelEncoding("16UC1")).toBe(false);
    expect(isPixelEncoding("toString")).toBe(false);
  });
});
