import { describe, expect, it } from "vitest";
import type { ParameterGroup } from "../../../src/train/network/parameter-group.ts";
import { createOptimizer } from "../../../src/train/optimizers/create-optimizer.ts";
import { clipGradients } from "../../../src/train/optimizers/gradient-clipping.ts";
import { learningRateAt } from "../../../src/train/optimizers/learning-rate.ts";
import type { OptimizerSpec } from "../../../src/train/optimizers/optimizer.ts";
import { WeightAverage } from "../../../src/train/optimizers/weight-average.ts";

function group(values: number[], gradient: number[], rateFactor = 1): ParameterGroup {
  return {
    name: `group${rateFactor}`,
    values: Float64Array.from(values),
    gradient: Float64Array.from(gradient),
    rateFactor,
    decays: true,
  };
}

const spec: OptimizerSpec = { name: "adam", weightDecay: 0, momentum: 0.9, squareDecay: 0.999 };

describe("createOptimizer", () => {
  it("makes the first Adam step as long as the rate, times the group's factor", () => {
    const groups = [group([1], [0.3]), group([1], [-7], 0.1), group([1], [5], 0)];
    createOptimizer(spec, groups).step(0.01, 0);
    expect(groups[0]!.values[0]).toBeCloseTo(0.99, 6);
    expect(groups[1]!.values[0]).toBeCloseTo(1.001, 6);
    expect(groups[2]!.values[0]).toBe(1);
  });
  it("makes Adam's second step as the paper's algorithm 1 does", () => {
    const one = group([0], [1]);
    const optimizer = createOptimizer(spec, [one]);
    optimizer.step(0.1, 0);
    one.gradient[0] = 3;
    optimizer.step(0.1, 1);
    const mean = (0.9 * 0.1 * 1 + 0.1 * 3) / (1 - 0.9 ** 2);
    const square = (0.999 * 0.001 * 1 + 0.001 * 9) / (1 - 0.999 ** 2);
    expect(one.values[0]).toBeCloseTo(-0.1 - (0.1 * mean) / Math.sqrt(square), 6);
  });
  it("sets gradients to zero after a step, and decays weights apart from them", () => {
    for (const name of ["adam", "rmsprop", "sgd"] as const) {
      const one = group([2], [0]);
      createOptimizer({ ...spec, name, weightDecay: 0.5 }, [one]).step(0.1, 0);
      expect(one.values[0], name).toBeCloseTo(1.9, 12);
      one.gradient[0] = 1;
      createOptimizer({ ...spec, name }, [one]).step(0.1, 0);
      expect(one.values[0], name).toBeLessThan(1.9);
      expect(one.gradient[0], name).toBe(0);
    }
  });
  it("gives SGD a heavy ball", () => {
    const one = group([0], [1]);
    const optimizer = createOptimizer({ ...spec, name: "sgd" }, [one]);
    optimizer.step(1, 0);
    optimizer.step(1, 1);
    expect(one.values[0]).toBeCloseTo(-1.9, 12);
  });
});

describe("clipGradients", () => {
  it("scales all gradients together to the norm, and returns the norm before", () => {
    const groups = [group([0], [3]), group([0], [4], 0.1)];
    const norm = clipGradients(groups, { normMax: 1, valueMax: Number.POSITIVE_INFINITY });
    expect(norm).toBe(5);
    expect(groups[0]!.gradient[0]).toBeCloseTo(0.6, 12);
    expect(groups[1]!.gradient[0]).toBeCloseTo(0.8, 12);
  });
  it("clips elements first, and leaves frozen groups out", () => {
    const groups = [group([0, 0], [-3, 0.5]), group([0], [100], 0)];
    const norm = clipGradients(groups, { normMax: Number.POSITIVE_INFINITY, valueMax: 1 });
    expect(Array.from(groups[0]!.gradient)).toEqual([-1, 0.5]);
    expect(norm).toBeCloseTo(Math.sqrt(1.25), 12);
  });
  it("returns NaN for a gradient that is not a number", () => {
    expect(clipGradients([group([0], [Number.NaN])], { normMax: 1, valueMax: 1 })).toBeNaN();
  });
});

describe("learningRateAt", () => {
  const schedule = { peak: 1, warmupBatches: 10, finalShare: 0.02 };
  it("rises linearly, then falls along half a cosine", () => {
    expect(learningRateAt(schedule, 0, 110)).toBeCloseTo(0.1, 12);
    expect(learningRateAt(schedule, 9, 110)).toBe(1);
    expect(learningRateAt(schedule, 60, 110)).toBeCloseTo(0.51, 12);
    expect(learningRateAt(schedule, 110, 110)).toBeCloseTo(0.02, 12);
  });
});

describe("WeightAverage", () => {
  it("lends its averages for a call and puts the parameters back", () => {
    const one = group([0], [0]);
    const average = new WeightAverage([one], 0.5);
    one.values[0] = 8;
    average.update(1000);
    expect(average.apply(() => one.values[0])).toBe(4);
    expect(one.values[0]).toBe(8);
  });
  it("puts the parameters back after an error", () => {
    const one = group([1], [0]);
    const average = new WeightAverage([one], 0.5);
    one.values[0] = 2;
    expect(() =>
      average.apply(() => {
        throw new Error("stop");
      }),
    ).toThrow("stop");
    expect(one.values[0]).toBe(2);
  });
});
