import { describe, expect, it } from "vitest";
import { createSparseKernel } from "../../src/cells/kernels/sparse-kernel.ts";
import type { LayerParameters } from "../../src/cells/layer-parameters.ts";
import { validateLayerParameters } from "../../src/cells/validate-layer-parameters.ts";
import { randomLayer } from "./kernels/random-layer.ts";

const lstm = randomLayer({
  cell: "phased-lstm",
  gate: "phase",
  inputs: 2,
  units: 3,
  openRatio: 0.1,
  seed: 1,
});
const gru = randomLayer({
  cell: "phased-gru",
  gate: "own-event",
  inputs: 2,
  units: 3,
  openRatio: 1,
  seed: 1,
});

const cases: [Partial<LayerParameters>, string][] = [
  [{ inputs: 0 }, "inputs must be a whole number > 0, got 0"],
  [{ units: 2.5 }, "units must be a whole number > 0, got 2.5"],
  [{ units: 4 }, "inputWeights must be 32 numbers, got 24"],
  [{ recurrentWeights: [1] }, "recurrentWeights must be 36 numbers, got 1"],
  [{ bias: new Float64Array(12).fill(1e39) }, "bias[0] must be finite in float32, got 1e+39"],
  [
    { inputWeights: new Float32Array(24).fill(Number.NaN) },
    "inputWeights[0] must be finite in float32, got NaN",
  ],
  [{ peepholes: undefined }, "peepholes must be 9 numbers, got none"],
  [{ recurrentBias: [0, 0, 0] }, "recurrentBias must be absent for phased-lstm, got values"],
  [{ periodUs: [1, 0, 1] }, "periodUs[1] must be a finite number > 0, got 0"],
  [{ periodUs: [1, 1, -5] }, "periodUs[2] must be a finite number > 0, got -5"],
  [{ periodUs: [1, 1] }, "periodUs must be 3 numbers, got 2"],
  [{ shiftUs: [Number.NaN, 0, 0] }, "shiftUs[0] must be finite, got NaN"],
  [{ openRatio: [0.1, 0, 0.1] }, "openRatio[1] must be in (0, 1], got 0"],
  [{ openRatio: [1.01, 1, 1] }, "openRatio[0] must be in (0, 1], got 1.01"],
  [{ openRatio: [Number.NaN, 1, 1] }, "openRatio[0] must be in (0, 1], got NaN"],
  [{ leak: -0.1 }, "leak must be in [0, 1], got -0.1"],
  [{ leak: 0.001 }, "leak must be 0 in a kernel that skips closed units"],
  [{ gate: "always" }, "periodUs must be 0 numbers, got 3"],
];

describe("validateLayerParameters()", () => {
  it.each(cases)("refuses %j", (change, message) => {
    const expected = expect.objectContaining({
      code: "BAD_MODEL",
      message: expect.stringContaining(`Cannot load layer: ${message}`),
    });
    expect(() => createSparseKernel().createLayer({ ...lstm, ...change })).toThrow(expected);
  });

  it("refuses peepholes of a GRU and asks for its recurrent bias", () => {
    const sparse = { computesClosedUnits: false };
    expect(() => validateLayerParameters({ ...gru, peepholes: [] }, sparse)).toThrow(
      "peepholes must be absent for phased-gru",
    );
    expect(() => validateLayerParameters({ ...gru, recurrentBias: undefined }, sparse)).toThrow(
      "recurrentBias must be 3 numbers, got none",
    );
  });

  it("allows a leak where every unit is computed", () => {
    expect(() =>
      validateLayerParameters({ ...lstm, leak: 0.001 }, { computesClosedUnits: true }),
    ).not.toThrow();
  });
});
