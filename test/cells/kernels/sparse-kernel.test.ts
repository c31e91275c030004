import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { FloatArray, LayerKernel, LayerState } from "../../../src/cells/kernels/kernel.ts";
import { createSparseKernel } from "../../../src/cells/kernels/sparse-kernel.ts";
import type { LayerParameters } from "../../../src/cells/layer-parameters.ts";
import { plainOpenness, plainStep } from "./plain-layer.ts";
import { anyLayer, anyTimes, randomLayer, uniform } from "./random-layer.ts";

// Thousands of cases, also on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const kernel = createSparseKernel();

function start(parameters: LayerParameters): {
  layer: LayerKernel;
  arena: Float32Array;
  state: LayerState;
} {
  const layer = kernel.createLayer(parameters);
  const arena = kernel.allocate(layer.stateLength) as Float32Array;
  return { layer, arena, state: layer.bind(arena, 0) };
}

function fill(x: FloatArray, next: (low: number, high: number) => number): void {
  for (let d = 0; d < x.length; d++) x[d] = next(-1, 1);
}

const bits = (arena: Float32Array): Uint32Array => new Uint32Array(arena.buffer.slice(0));

describe("createSparseKernel()", () => {
  it("step() and stepDense() give the same bits for any layer and any times", () => {
    fc.assert(
      fc.property(anyLayer, anyTimes, fc.integer(), (parameters, times, seed) => {
        const sparse = start(parameters);
        const dense = start(parameters);
        const next = uniform(seed);
        for (const t of times) {
          fill(sparse.state.x, next);
          dense.state.x.set(sparse.state.x);
          const count = sparse.layer.step(sparse.state, t);
          expect(dense.layer.stepDense(dense.state, t)).toBe(count);
          expect(bits(dense.arena)).toEqual(bits(sparse.arena));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("step() lists the open units in ascending order and leaves the others' bits alone", () => {
    fc.assert(
      fc.property(anyLayer, anyTimes, fc.integer(), (parameters, times, seed) => {
        const { layer, state } = start(parameters);
        const next = uniform(seed);
        for (const t of times) {
          fill(state.x, next);
          const before = { c: state.c.slice(), h: state.h.slice() };
          const open = Array.from(layer.openUnits.subarray(0, layer.step(state, t)));
          const k = plainOpenness(parameters, t);
          const expected = Array.from(k.keys()).filter((j) => k[j]! > 1e-6);
          // At the very edge of a window k is 0 on either side.
          expect(open.filter((j) => k[j]! > 1e-6)).toEqual(expected);
          const changed = Array.from(k.keys()).filter(
            (j) => !(Object.is(state.c[j], before.c[j]) && Object.is(state.h[j], before.h[j])),
          );
          expect(open).toEqual(expect.arrayContaining(changed));
        }
      }),
      { numRuns: 100 },
    );
  });

  it("step() agrees with the equations in float64 within 1e-6", () => {
    fc.assert(
      fc.property(anyLayer, anyTimes, fc.integer(), (parameters, times, seed) => {
        const { layer, state } = start(parameters);
        const c = new Float64Array(parameters.units);
        const h = new Float64Array(parameters.units);
        const next = uniform(seed);
        for (const t of times) {
          fill(state.x, next);
          layer.step(state, t);
          plainStep(parameters, c, h, state.x, plainOpenness(parameters, t));
        }
        for (let j = 0; j < parameters.units; j++) {
          expect(Math.abs(state.h[j]! - h[j]!)).toBeLessThan(1e-6);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("step() reads the old h in every open unit", () => {
    const units = 2;
    const parameters: LayerParameters = {
      ...randomLayer({ cell: "lstm", gate: "always", inputs: 1, units, openRatio: 1, seed: 1 }),
      inputWeights: new Float32Array(8).fill(1),
      recurrentWeights: new Float32Array(16).fill(1),
    };
    const { layer, state } = start(parameters);
    const c = new Float64Array(units);
    const h = new Float64Array(units);
    for (let n = 0; n < 3; n++) {
      state.x[0] = 1;
      layer.step(state, n);
      plainStep(parameters, c, h, [1], [1, 1]);
    }
    expect(state.h[1]).toBeCloseTo(h[1]!, 6);
  });

  it("step() lets nothing out of the padding or a neighbour's state", () => {
    const parameters = randomLayer({
      cell: "phased-lstm",
      gate: "always",
      inputs: 5,
      units: 6,
      openRatio: 1,
      seed: 4,
    });
    const layer = kernel.createLayer(parameters);
    const clean = kernel.allocate(3 * layer.stateLength) as Float32Array;
    const dirty = kernel.allocate(3 * layer.stateLength) as Float32Array;
    dirty.fill(Number.NaN);
    const states = [clean, dirty].map((arena) => layer.bind(arena, layer.stateLength));
    for (const state of states) {
      state.c.fill(0);
      state.h.fill(0);
      state.x.fill(0.5);
      layer.step(state, 0);
    }
    expect(states[1]!.h).toEqual(states[0]!.h);
    expect(states[1]!.c).toEqual(states[0]!.c);
  });

  it("step() changes no bit when all times and shifts move by the same integer", () => {
    fc.assert(
      fc.property(
        anyLayer,
        anyTimes,
        fc.integer({ min: -1e13, max: 5e15 }),
        (parameters, times, offset) => {
          const moved = start({
            ...parameters,
            shiftUs: Float64Array.from(parameters.shiftUs, (shift) => shift + offset),
          });
          const still = start(parameters);
          for (const t of times) {
            still.state.x.fill(0.25);
            moved.state.x.fill(0.25);
            still.layer.step(still.state, t);
            moved.layer.step(moved.state, t + offset);
          }
          expect(bits(moved.arena)).toEqual(bits(still.arena));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("bind() refuses an arena of another kernel", () => {
    const { layer } = start(
      randomLayer({ cell: "lstm", gate: "always", inputs: 1, units: 1, openRatio: 1, seed: 0 }),
    );
    expect(() => layer.bind(new Float64Array(layer.stateLength), 0)).toThrow(TypeError);
  });
});
