import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import {
  drawPeriods,
  drawSampleTimes,
  drawSignal,
  oneSine,
  twoSines,
} from "../../../src/train/tasks/frequency-signal.ts";

describe("drawSignal", () => {
  it("has the periods it was drawn with: 2π of phase in one period", () => {
    const signal = drawSignal(new Random(1), [5.5]);
    for (const timeUs of [0, 700, 3_100]) {
      expect(signal(timeUs + 5_500)).toBeCloseTo(signal(timeUs), 9);
      // Half a period on the sign is the other.
      expect(signal(timeUs + 2_750)).toBeCloseTo(-signal(timeUs), 9);
    }
  });
  it("is a sum of unit sines, one for each period", () => {
    const signal = drawSignal(new Random(2), [5, 14]);
    // 70 ms hold fourteen and five whole periods: two unit sines have power ½ each.
    let power = 0;
    for (let timeUs = 0; timeUs < 70_000; timeUs += 100) power += signal(timeUs) ** 2 / 700;
    expect(power).toBeCloseTo(1, 6);
  });
});

describe("drawPeriods", () => {
  it.each([oneSine, twoSines])(
    "puts all periods of a target, and not all of others, in its ranges",
    (...target) => {
      const random = new Random(3);
      const areInside = (periods: number[]): boolean =>
        periods.every((period, i) => period >= target[i]![0] && period <= target[i]![1]);
      for (let i = 0; i < 300; i++) {
        expect(areInside(drawPeriods(random, target, true))).toBe(true);
        const others = drawPeriods(random, target, false);
        expect(others).toHaveLength(target.length);
        expect(areInside(others)).toBe(false);
      }
    },
  );
});

describe("drawSampleTimes", () => {
  it("stays inside 125 ms, at steps of a millisecond where it is regular", () => {
    const random = new Random(4);
    for (let i = 0; i < 100; i++) {
      const times = drawSampleTimes(random, i % 2 === 0 ? "async" : "1ms");
      expect(times.length).toBeGreaterThanOrEqual(15);
      expect(times[0]!).toBeGreaterThanOrEqual(0);
      expect(times.at(-1)!).toBeLessThanOrEqual(125_000);
      if (i % 2 === 0) expect(times).toEqual(times.toSorted((a, b) => a - b));
      else expect(times.every((time, j) => time === times[0]! + 1000 * j)).toBe(true);
    }
  });
});
