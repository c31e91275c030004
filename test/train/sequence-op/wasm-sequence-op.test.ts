import { describe, expect, it } from "vitest";
import type { FloatArray } from "../../../src/cells/kernels/kernel.ts";
import type { SequenceOp } from "../../../src/train/sequence-op/sequence-op.ts";
import { createTypescriptSequenceOp } from "../../../src/train/sequence-op/typescript-sequence-op.ts";
import { createWasmSequenceOp } from "../../../src/train/sequence-op/wasm-sequence-op.ts";
import { gateCases, limitsOf, randomBatch, randomParameters, smallShape } from "./random-layer.ts";

const lengths = [40, 1, 0, 25, 31];
/** Eight, four and two at a time, and more steps than are taken together. */
const longLengths = [180, 180, 175, 175, 90, 90, 90, 90];
/** Three fours side by side, the last of them not full. */
const manyLengths = Array.from({ length: 11 }, () => 100);

function run(op: SequenceOp, lengths: readonly number[]): number {
  randomParameters(op, 4);
  randomBatch(op, lengths, 5);
  const count = op.forward(lengths.length);
  op.backward(lengths.length);
  return count;
}

function largestDifference(a: FloatArray, b: FloatArray): number {
  let scale = 1e-30;
  let difference = 0;
  a.forEach((value, m) => {
    scale = Math.max(scale, Math.abs(value));
    difference = Math.max(difference, Math.abs(value - b[m]!));
  });
  return difference / scale;
}

const cases = gateCases.flatMap((gateCase) =>
  [lengths, longLengths, manyLengths].map((ofBatch) => ({ ...gateCase, lengths: ofBatch })),
);

describe.each(cases)("createWasmSequenceOp, %j", ({ shape: gate, leak, lengths }) => {
  const shape = { ...smallShape, units: 13, ...gate };
  const events = lengths.reduce((sum, length) => sum + length);
  const limits = limitsOf(lengths.length, events, 13);
  const reference = createTypescriptSequenceOp(shape, limits, "float64");
  reference.leak = leak;
  const expectedCount = run(reference, lengths);
  const ops: [string, SequenceOp][] = [
    ["the SIMD op", createWasmSequenceOp(shape, limits)],
    ["the float32 fallback", createTypescriptSequenceOp(shape, limits, "float32")],
  ];
  for (const [, op] of ops) op.leak = leak;
  it.each(ops)("evaluates the same units as the float64 reference: %s", (_, op) => {
    expect(run(op, lengths)).toBe(expectedCount);
  });
  it.each(ops)("gives the outputs, states and gradients of the reference to 2e-5: %s", (_, op) => {
    for (const name of ["rows", "peepholes", "logPeriod", "shift", "openLogit"] as const) {
      op.gradients[name].fill(0);
    }
    run(op, lengths);
    for (const name of ["h", "stateH", "stateC", "xGradient"] as const) {
      expect(largestDifference(reference.batch[name], op.batch[name]), name).toBeLessThan(2e-5);
    }
    for (const name of ["rows", "peepholes", "logPeriod", "shift", "openLogit"] as const) {
      expect(largestDifference(reference.gradients[name], op.gradients[name]), name).toBeLessThan(
        2e-5,
      );
    }
  });
});

describe("createWasmSequenceOp, sequences of different times", () => {
  const shape = { ...smallShape, units: 13 };
  const limits = limitsOf(4, 160, 13);
  const apartUs = { "a window's": 2_000, "an hour's": 3.6e9 };
  it.each(Object.entries(apartUs))("gives what the reference gives, %s distance apart", (_, us) => {
    const reference = createTypescriptSequenceOp(shape, limits, "float64");
    const op = createWasmSequenceOp(shape, limits);
    const counts = [reference, op].map((each) => {
      randomParameters(each, 4);
      randomBatch(each, [40, 40, 0, 80], 5);
      const { offsets, timeUs } = each.batch;
      for (let b = 1; b < 4; b++) {
        for (let n = offsets[b]!; n < offsets[b + 1]!; n++) timeUs[n]! += b * us;
      }
      const count = each.forward(4);
      each.backward(4);
      return count;
    });
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBe(counts[0]);
    expect(largestDifference(reference.batch.h, op.batch.h)).toBeLessThan(2e-5);
    for (const name of ["rows", "peepholes", "logPeriod", "shift"] as const) {
      expect(largestDifference(reference.gradients[name], op.gradients[name]), name).toBeLessThan(
        2e-5,
      );
    }
  });
});

describe("createWasmSequenceOp", () => {
  it.each(["open", "all"] as const)(
    "refuses a batch of too many units, evaluating %s",
    (evaluate) => {
      const op = createWasmSequenceOp(
        { ...smallShape, evaluate },
        { sequencesMax: 5, eventsMax: 97, openUnitsMax: 9 },
      );
      randomParameters(op, 4);
      randomBatch(op, lengths, 5);
      expect(() => op.forward(5)).toThrow("open units must be at most 9");
    },
  );
  it("refuses a leak with closed units skipped", () => {
    const op = createWasmSequenceOp(smallShape, limitsOf(1, 1, 7));
    op.leak = 0.001;
    expect(() => op.forward(1)).toThrow("leak must be 0");
  });
  it("refuses a batch of more sequences or events than the limits", () => {
    const op = createWasmSequenceOp(smallShape, limitsOf(2, 10, 7));
    expect(() => op.forward(3)).toThrow("sequences must be from 1 to 2, got 3");
    op.batch.offsets.set([0, 4, 11]);
    expect(() => op.forward(2)).toThrow("offsets[2] must be from 4 to 10, got 11");
  });
});
