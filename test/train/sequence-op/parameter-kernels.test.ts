import { describe, expect, it } from "vitest";
import type { FloatArray } from "../../../src/cells/kernels/kernel.ts";
import { Random } from "../../../src/sensors/random.ts";
import {
  backwardEmbedding,
  createAddressEmbedding,
  embedEvents,
} from "../../../src/train/network/address-embedding.ts";
import type { ParameterGroup } from "../../../src/train/network/parameter-group.ts";
import { createAdam } from "../../../src/train/optimizers/adam.ts";
import { clipGradients } from "../../../src/train/optimizers/gradient-clipping.ts";
import { WeightAverage } from "../../../src/train/optimizers/weight-average.ts";
import { kernelsFor } from "../../../src/train/sequence-op/parameter-kernels.ts";
import { floatsLike, type SequenceOp } from "../../../src/train/sequence-op/sequence-op.ts";
import { createTypescriptSequenceOp } from "../../../src/train/sequence-op/typescript-sequence-op.ts";
import { createWasmSequenceOp } from "../../../src/train/sequence-op/wasm-sequence-op.ts";
import { limitsOf, smallShape } from "./random-layer.ts";

const limits = limitsOf(2, 20, smallShape.units);
/** Not a multiple of four: the last ones are no whole vector. */
const length = 39;

const layers = {
  simd: createWasmSequenceOp(smallShape, limits),
  readable: createTypescriptSequenceOp(smallShape, limits, "float32"),
};

function randomFloats(layer: SequenceOp, seed: number): FloatArray {
  const random = new Random(seed);
  const floats = floatsLike(layer, length);
  for (let m = 0; m < length; m++) floats[m] = random.normal();
  return floats;
}

function groupOf(layer: SequenceOp): ParameterGroup {
  const [values, gradient] = [randomFloats(layer, 1), randomFloats(layer, 2)];
  return { name: "some", values, gradient, rateFactor: 1, decays: true };
}

/** What a few steps of training make of the same numbers. */
function train(layer: SequenceOp): { norms: number[]; values: number[]; average: number[] } {
  const group = groupOf(layer);
  const spec = { name: "adam", weightDecay: 0.1, momentum: 0.9, squareDecay: 0.999 } as const;
  const adam = createAdam(spec, [group]);
  const average = new WeightAverage([group], 0.5);
  const norms = [0, 1, 2, 3].map((step) => {
    group.gradient.set(randomFloats(layer, 10 + step));
    const norm = clipGradients([group], { normMax: 1, valueMax: Number.POSITIVE_INFINITY });
    adam.step(0.01, step);
    average.update(step);
    return norm;
  });
  const averaged = average.apply(() => Array.from(group.values));
  return { norms, values: Array.from(group.values), average: averaged };
}

function expectClose(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  const differences = a.map((value, m) => Math.abs(value - b[m]!));
  expect(Math.max(...differences)).toBeLessThan(2e-6);
}

describe("kernelsFor", () => {
  it("is found for float32 in the memory of an op, and for nothing else", () => {
    const [one, other] = [randomFloats(layers.simd, 1), randomFloats(layers.simd, 2)];
    expect(kernelsFor([one, other])).toBeDefined();
    expect(kernelsFor([one, new Float32Array(3)])).toBeUndefined();
    expect(kernelsFor([one], [new Int32Array(3)])).toBeUndefined();
    expect(kernelsFor([layers.simd.gradients.shift])).toBeUndefined();
    expect(kernelsFor([randomFloats(layers.readable, 1)])).toBeUndefined();
  });
  it("clips, steps Adam and averages as the readable loops do", () => {
    const [simd, readable] = [train(layers.simd), train(layers.readable)];
    expectClose(simd.norms, readable.norms);
    expectClose(simd.values, readable.values);
    expectClose(simd.average, readable.average);
  });
  it("sets gradients to zero after a step", () => {
    const group = groupOf(layers.simd);
    const spec = { name: "adam", weightDecay: 0, momentum: 0.9, squareDecay: 0.999 } as const;
    createAdam(spec, [group]).step(0.01, 0);
    expect(Array.from(group.gradient)).toEqual(new Array(length).fill(0));
  });
  it("embeds events, and adds to the table's gradient, as the readable loops do", () => {
    const runs = [layers.simd, layers.readable].map((layer) => {
      const random = new Random(3);
      const sizes = { width: 4, height: 4, dimensions: 2 };
      const embedding = createAddressEmbedding(sizes, layer, random);
      for (let n = 0; n < 20; n++) {
        embedding.address[n] = random.below(16);
        embedding.on[n] = random.below(2);
      }
      layer.batch.x.fill(0);
      embedEvents(embedding, layer.batch, 19);
      for (let m = 0; m < 60; m++) layer.batch.xGradient[m] = random.normal();
      backwardEmbedding(embedding, layer.batch, 19);
      return { x: Array.from(layer.batch.x), gradient: Array.from(embedding.gradient) };
    });
    expect(runs[0]!.x).toEqual(runs[1]!.x);
    expectClose(runs[0]!.gradient, runs[1]!.gradient);
  });
});
