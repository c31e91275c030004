import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import type { BaselineOp } from "../../../src/train/baselines/baseline-op.ts";
import {
  type BaselineCell,
  createBaselineOp,
} from "../../../src/train/baselines/create-baseline-op.ts";
import type { WeightInitializer } from "../../../src/train/network/recurrent-layer.ts";

const shape = { inputs: 3, units: 6 };
const lengths = [5, 9, 9, 2];
const events = 25;
const sequences = lengths.length;
const limits = { sequencesMax: sequences, eventsMax: events, openUnitsMax: events * shape.units };
const initializer: WeightInitializer = {
  input: 0.7,
  recurrent: 0.5,
  peephole: 0,
  bias: [-0.1, 0.5, 0.1, 0.2],
};
const cells: readonly BaselineCell[] = ["bn-lstm", "tanh-rnn", "relu-rnn"];

/** A layer with a batch of sequences of different lengths, read from their middle on. */
function createLayer(cell: BaselineCell, op: "wasm" | "reference"): BaselineOp {
  const random = new Random(11);
  const layer = createBaselineOp(cell, op, { shape, limits }, initializer, random);
  // Gains of 0.1 and shifts of 0 would hide mistakes in what multiplies them.
  for (const { name, values, rateFactor } of layer.groups) {
    if (!name.includes("Norm") || rateFactor === 0) continue;
    const used = name.includes("cNorm") ? shape.units : 4 * shape.units;
    for (let m = 0; m < used; m++) values[m] = Math.fround(0.5 + 0.3 * random.normal());
  }
  const { batch } = layer;
  lengths.forEach((length, b) => {
    batch.offsets[b + 1] = batch.offsets[b]! + length;
    batch.readFrom[b] = batch.offsets[b]! + Math.floor(length / 2);
  });
  for (const array of [batch.x, batch.hGradient]) {
    array.forEach((_, m) => {
      array[m] = Math.fround(random.normal());
    });
  }
  for (const { values } of layer.groups) {
    values.forEach((value, m) => {
      values[m] = Math.fround(value);
    });
  }
  return layer;
}

/** Σ h · dL/dh over the events that are read, from zero states. */
function lossOf({ batch, ...layer }: BaselineOp): number {
  batch.stateH.fill(0);
  batch.stateC.fill(0);
  layer.forward(sequences, true);
  let loss = 0;
  for (let b = 0; b < sequences; b++) {
    const from = batch.readFrom[b]! * shape.units;
    const to = batch.offsets[b + 1]! * shape.units;
    for (let m = from; m < to; m++) loss += batch.h[m]! * batch.hGradient[m]!;
  }
  return loss;
}

describe.each(cells)("createBaselineOp %s", (cell) => {
  it("has the gradients of central differences in float64, of every parameter and the input", () => {
    const layer = createLayer(cell, "reference");
    lossOf(layer);
    layer.backward(sequences);
    const learned = layer.groups.filter(({ rateFactor }) => rateFactor > 0);
    const input = { name: "x", values: layer.batch.x, gradient: layer.batch.xGradient.slice() };
    for (const { name, values, gradient } of [...learned, input]) {
      const expected = gradient.slice();
      const step = 1e-6;
      let worst = 0;
      let largest = 0;
      for (let m = 0; m < values.length; m++) {
        const value = values[m]!;
        // Padding is not a parameter.
        if (value === 0 && expected[m] === 0) continue;
        values[m] = value + step;
        const above = lossOf(layer);
        values[m] = value - step;
        const below = lossOf(layer);
        values[m] = value;
        worst = Math.max(worst, Math.abs((above - below) / (2 * step) - expected[m]!));
        largest = Math.max(largest, Math.abs(expected[m]!));
      }
      expect(largest, name).toBeGreaterThan(1e-3);
      expect(worst / largest, name).toBeLessThan(1e-5);
    }
  });
  it("gives in SIMD what it gives in float64", () => {
    const reference = createLayer(cell, "reference");
    const simd = createLayer(cell, "wasm");
    expect(lossOf(simd)).toBeCloseTo(lossOf(reference), 3);
    reference.backward(sequences);
    simd.backward(sequences);
    reference.groups.forEach(({ name, gradient }, i) => {
      const scale = Math.max(1, ...gradient.map(Math.abs));
      gradient.forEach((expected, m) => {
        const difference = Math.abs(simd.groups[i]!.gradient[m]! - expected);
        expect(difference, name).toBeLessThan(2e-4 * scale);
      });
    });
  });
  it("starts with the identity where that is asked for", () => {
    const layer = createBaselineOp(
      cell,
      "reference",
      { shape, limits },
      { ...initializer, identity: 0.5 },
      new Random(1),
    );
    const recurrent = layer.groups.find(({ name }) => name === "layer.recurrent")!.values;
    const columns = recurrent.length / shape.units;
    const gates = cell === "bn-lstm" ? 4 : 1;
    for (let m = 0; m < shape.units; m++) {
      for (let column = 0; column < gates * shape.units; column++) {
        expect(recurrent[m * columns + column]).toBe(column % shape.units === m ? 0.5 : 0);
      }
    }
  });
});

describe("createBaselineOp bn-lstm", () => {
  it("answers for a sequence alone what it answered in the batch, once its statistics settled", () => {
    const layer = createLayer("bn-lstm", "reference");
    for (let i = 0; i < 3; i++) lossOf(layer);
    const inBatch = layer.batch.h.slice();
    layer.batch.stateH.fill(0);
    layer.batch.stateC.fill(0);
    // Sequence 1 alone: statistics of the batch would be those of one row, and give zeros.
    layer.batch.x.copyWithin(0, 5 * shape.inputs, 14 * shape.inputs);
    layer.batch.offsets[1] = 9;
    layer.batch.readFrom[0] = 4;
    layer.forward(1, false);
    for (let m = 4 * shape.units; m < 9 * shape.units; m++) {
      expect(layer.batch.h[m]).toBeCloseTo(inBatch[5 * shape.units + m]!, 6);
    }
  });
});
