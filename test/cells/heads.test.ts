import { describe, expect, it } from "vitest";
import { dense } from "../../src/cells/dense/dense.ts";
import { mixtureDensity, negativeLogLikelihood } from "../../src/cells/mixture-density.ts";
import { softmax } from "../../src/cells/softmax.ts";
import { Random } from "../../src/sensors/random.ts";

describe("dense()", () => {
  it.each([1, 2, 5, 8])("adds the rows of W in order, for %i inputs", (inputs) => {
    const random = new Random(inputs);
    const columns = 3;
    const x = Float64Array.from({ length: inputs }, () => random.normal());
    const weights = Float64Array.from({ length: inputs * columns }, () => random.normal());
    const bias = Float64Array.of(1, -2, 0.5);
    const y = new Float64Array(columns);
    dense(y, x, weights, bias);
    y.forEach((value, c) => {
      let expected = bias[c]!;
      for (let d = 0; d < inputs; d++) expected += x[d]! * weights[d * columns + c]!;
      expect(value).toBe(expected);
    });
  });
});

describe("softmax()", () => {
  it("gives probabilities of a part of the values, however large they are", () => {
    const values = Float64Array.of(7, 1000, 1000 + Math.log(3), 9);
    softmax(values, 1, 3);
    expect([values[0], values[3]]).toEqual([7, 9]);
    expect(values[1]).toBeCloseTo(0.25, 12);
    expect(values[2]).toBeCloseTo(0.75, 12);
  });
});

describe("mixtureDensity() and negativeLogLikelihood()", () => {
  it("are the normal density for one component", () => {
    const values = Float64Array.of(3, 1, -2, Math.log(0.5), Math.log(2));
    mixtureDensity(values, 1, 2);
    expect([...values]).toEqual([1, 1, -2, 0.5, 2]);
    const y = [1.5, 0];
    const density = (distance: number, deviation: number): number =>
      Math.exp(-(distance ** 2) / (2 * deviation ** 2)) / (deviation * Math.sqrt(2 * Math.PI));
    const expected = -Math.log(density(0.5, 0.5) * density(2, 2));
    expect(negativeLogLikelihood(values, 1, y)).toBeCloseTo(expected, 12);
  });

  it("weigh components, and stay finite far away from all of them", () => {
    const values = Float64Array.of(0, Math.log(3), -1, 1, 0, 0);
    mixtureDensity(values, 2, 1);
    expect(values[0]).toBeCloseTo(0.25, 12);
    const normal = (distance: number): number =>
      Math.exp(-(distance ** 2) / 2) / Math.sqrt(2 * Math.PI);
    const expected = -Math.log(0.25 * normal(1.5) + 0.75 * normal(0.5));
    expect(negativeLogLikelihood(values, 2, [0.5])).toBeCloseTo(expected, 12);
    expect(Number.isFinite(negativeLogLikelihood(values, 2, [1000]))).toBe(true);
  });
});
