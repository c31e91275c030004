import { describe, expect, it } from "vitest";
import type { FloatArray } from "../../../src/cells/kernels/kernel.ts";
import type { SequenceOp } from "../../../src/train/sequence-op/sequence-op.ts";
import { createTypescriptSequenceOp } from "../../../src/train/sequence-op/typescript-sequence-op.ts";
import {
  gateCases,
  limitsOf,
  randomBatch,
  randomParameters,
  resetState,
  smallShape,
} from "./random-layer.ts";

const lengths = [9, 1, 14, 6];

/** Any fixed linear function of the outputs that are read: its derivative by h is `hGradient`. */
function loss(op: SequenceOp): number {
  const { batch, shape } = op;
  resetState(op, lengths.length, 3);
  op.forward(lengths.length);
  let sum = 0;
  for (let b = 0; b < lengths.length; b++) {
    for (let n = batch.readFrom[b]!; n < batch.offsets[b + 1]!; n++) {
      for (let u = 0; u < shape.units; u++) {
        sum += batch.h[n * shape.units + u]! * batch.hGradient[n * shape.units + u]!;
      }
    }
  }
  return sum;
}

/** Largest difference to central differences over all elements, relative to the largest element. */
function worstError(op: SequenceOp, values: FloatArray, gradient: FloatArray): number {
  const step = 1e-6;
  let worst = 0;
  let largest = 0;
  const analytic = gradient.slice();
  values.forEach((value, m) => {
    values[m] = value + step;
    const above = loss(op);
    values[m] = value - step;
    const below = loss(op);
    values[m] = value;
    const numeric = (above - below) / (2 * step);
    worst = Math.max(worst, Math.abs(numeric - analytic[m]!));
    largest = Math.max(largest, Math.abs(analytic[m]!));
  });
  return worst / largest;
}

describe.each(gateCases)("createTypescriptSequenceOp in float64, %j", ({ shape, leak }) => {
  const op = createTypescriptSequenceOp({ ...smallShape, ...shape }, limitsOf(4, 30, 7), "float64");
  op.leak = leak;
  randomParameters(op, 1);
  randomBatch(op, lengths, 2);
  loss(op);
  op.backward(lengths.length);
  const { parameters, gradients, batch } = op;
  const oscillates = shape.gate === "phase";
  it("has the derivatives of W, U and b that central differences give, to 1e-5", () => {
    expect(worstError(op, parameters.rows, gradients.rows)).toBeLessThan(1e-5);
  });
  it("has the derivatives of the peepholes", () => {
    expect(worstError(op, parameters.peepholes, gradients.peepholes)).toBeLessThan(1e-5);
  });
  it("has the derivatives of the inputs", () => {
    expect(worstError(op, batch.x, batch.xGradient)).toBeLessThan(1e-5);
  });
  it.runIf(oscillates)("has the derivatives of log τ, shift and r_on", () => {
    expect(worstError(op, parameters.logPeriod, gradients.logPeriod)).toBeLessThan(1e-5);
    expect(worstError(op, parameters.shift, gradients.shift)).toBeLessThan(1e-5);
    expect(worstError(op, parameters.openLogit, gradients.openLogit)).toBeLessThan(1e-5);
  });
});
