import { describe, expect, it } from "vitest";
import { Random } from "../../src/sensors/random.ts";

describe("Random", () => {
  it("gives the same numbers for a seed, always", () => {
    const random = new Random(42);
    const first = Array.from({ length: 5 }, () => random.uint32());
    // From an independent sfc32 in Python integers.
    expect(first).toEqual([1264412219, 1947509147, 3919439299, 1251167922, 656401615]);
    const high = new Random(2 ** 40 + 3);
    expect([high.uint32(), high.uint32()]).toEqual([3280681355, 3448732634]);
  });

  it("gives other numbers for another seed, also one that differs above bit 32", () => {
    const firsts = [0, 1, 2, 2 ** 32, 2 ** 52].map((seed) => new Random(seed).uint32());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it("is uniform: mean, variance and every digit of below(10)", () => {
    const random = new Random(7);
    const count = 100_000;
    let [sum, squares] = [0, 0];
    const digits = new Array<number>(10).fill(0);
    for (let i = 0; i < count; i += 1) {
      const value = random.uniform();
      sum += value;
      squares += value * value;
      const digit = random.below(10);
      digits[digit] = digits[digit]! + 1;
    }
    expect(sum / count).toBeCloseTo(0.5, 2);
    expect(squares / count - (sum / count) ** 2).toBeCloseTo(1 / 12, 2);
    for (const digit of digits) expect(Math.abs(digit / count - 0.1)).toBeLessThan(0.005);
  });

  it("has normal numbers of mean 0, deviation 1 and a plausible tail", () => {
    const random = new Random(8);
    const values = Array.from({ length: 100_000 }, () => random.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.015);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / values.length;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.004);
  });

  it("refuses a seed that is not a whole number >= 0", () => {
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => new Random(seed)).toThrow(RangeError);
    }
  });
});
