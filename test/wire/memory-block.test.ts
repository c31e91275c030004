import { describe, expect, it } from "vitest";
import { copyBytes, copyFloats } from "../../src/wire/memory-block.ts";

describe("copyFloats() and copyBytes()", () => {
  it("give every caller a copy that nobody else has, small and large", () => {
    const lengths = [...Array.from({ length: 500 }, (_, i) => (i * 37) % 61), 5000, 39];
    const parts = lengths.map((length, i) => {
      const numbers = new Float32Array(length).fill(i + 1);
      const floats = copyFloats(new Uint8Array(numbers.buffer));
      expect(floats).toEqual(numbers);
      // Not a multiple of four: the floats behind it must be aligned all the same.
      const bytes = copyBytes(new Uint8Array(2 * length + 1).fill(i));
      numbers.fill(-1);
      return { floats, bytes };
    });
    for (const [i, { floats, bytes }] of parts.entries()) {
      expect(floats).toEqual(new Float32Array(lengths[i]!).fill(i + 1));
      expect(bytes).toEqual(new Uint8Array(2 * lengths[i]! + 1).fill(i));
    }
  });
});
