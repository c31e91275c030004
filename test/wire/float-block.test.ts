import { describe, expect, it } from "vitest";
import { allocateFloats } from "../../src/wire/float-block.ts";

describe("allocateFloats()", () => {
  it("gives every caller zeros that nobody else has", () => {
    const lengths = Array.from({ length: 500 }, (_, i) => (i * 37) % 61);
    const parts = [...lengths, 5000, 39].map((length, i) => {
      const part = allocateFloats(length);
      expect(part).toEqual(new Float32Array(length));
      return part.fill(i + 1);
    });
    for (const [i, part] of parts.entries()) {
      expect(part).toEqual(new Float32Array(part.length).fill(i + 1));
    }
  });
});
