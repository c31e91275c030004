import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type {
  BatchKernel,
  BatchLayerKernel,
  EventBatch,
  LayerState,
} from "../../../src/cells/kernels/kernel.ts";
import { createReferenceKernel } from "../../../src/cells/kernels/reference-kernel.ts";
import { createSparseKernel } from "../../../src/cells/kernels/sparse-kernel.ts";
import { createWasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import type { LayerParameters } from "../../../src/cells/layer-parameters.ts";
import { anyLayer, anyTimes, randomLayer, uniform } from "./random-layer.ts";

// Thousands of cases, also on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const plainShape = {
  cell: "phased-lstm",
  gate: "phase",
  inputs: 2,
  units: 4,
  openRatio: 0.05,
  seed: 1,
} as const;
const wasm = createWasmKernel();
const sparse = createSparseKernel();

interface Run {
  readonly layer: BatchLayerKernel;
  readonly state: LayerState;
  readonly batch: EventBatch;
}

function start(kernel: BatchKernel, parameters: LayerParameters, times: readonly number[]): Run {
  const layer = kernel.createLayer(parameters);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  const batch = layer.createBatch(times.length, { keepOutputs: true });
  batch.timesUs.set(times);
  const next = uniform(parameters.units);
  for (let n = 0; n < batch.inputs.length; n++) batch.inputs[n] = next(-2, 2);
  return { layer, state, batch };
}

/** Bits of h, c and the open units after each event. */
function trace({ layer, state, batch }: Run, method: "step" | "stepDense"): number[] {
  const out: number[] = [];
  for (let n = 0; n < batch.timesUs.length; n++) {
    state.x.set(batch.inputs.subarray(n * layer.inputs, (n + 1) * layer.inputs));
    const count = layer[method](state, batch.timesUs[n]!);
    out.push(count, ...layer.openUnits.subarray(0, count), ...bits(state));
  }
  return out;
}

const bits = ({ h, c }: LayerState): number[] =>
  Array.from(new Int32Array(Float32Array.from([...h, ...c]).buffer));

describe("createWasmKernel()", () => {
  it("gives the bits of sparse-f32 for any layer and any times, by step() and by stepDense()", () => {
    fc.assert(
      fc.property(anyLayer, anyTimes, (parameters, times) => {
        const expected = trace(start(sparse, parameters, times), "step");
        expect(trace(start(wasm, parameters, times), "step")).toEqual(expected);
        expect(trace(start(wasm, parameters, times), "stepDense")).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    [40, 110],
    [39, 150],
    [64, 110],
    [250, 250],
  ])("gives the bits of sparse-f32 at %i inputs and %i units", (inputs, units) => {
    const parameters = randomLayer({
      cell: "phased-lstm",
      gate: "phase",
      inputs,
      units,
      openRatio: 0.05,
      seed: units,
    });
    const next = uniform(units);
    const times = Array.from({ length: 200 }, (_, n) => 4e12 + Math.floor(n * next(0, 20_000)));
    const expected = trace(start(sparse, parameters, times), "step");
    expect(trace(start(wasm, parameters, times), "step")).toEqual(expected);
  });

  it("enters an epoch with the phases of sparse-f32 to the last bit, for any τ, s and t", () => {
    const oscillator = fc.oneof(
      fc.record({
        period: fc.double({ min: 1e-3, max: 1e12, noNaN: true }),
        shift: fc.double({ min: -1e15, max: 1e15, noNaN: true }),
        openRatio: fc.constant(1),
      }),
      // So narrow a window that its k shows the last bits of the phase, met at its start.
      fc.record({
        period: fc.integer({ min: 1, max: 1e6 }),
        shift: fc.integer({ min: -1e6, max: 1e6 }),
        openRatio: fc.constant(4e-10),
      }),
      // Periods that the remainder cannot be had with from the quotient.
      fc.record({
        period: fc.constantFrom(1e-130, 1e-9, 1e130),
        shift: fc.integer({ min: 0, max: 100 }),
        openRatio: fc.constant(1),
      }),
    );
    const turn = fc.integer({ min: -1e9, max: 1e9 });
    const small = randomLayer({ ...plainShape, units: 3 });
    fc.assert(
      fc.property(fc.array(oscillator, { minLength: 3, maxLength: 3 }), turn, (units, n) => {
        const parameters: LayerParameters = {
          ...small,
          periodUs: units.map(({ period }) => period),
          shiftUs: units.map(({ shift }) => shift),
          openRatio: units.map(({ openRatio }) => openRatio),
        };
        const times = units.map(({ period, shift }) => Math.round(shift + n * period));
        expect(trace(start(wasm, parameters, times), "step")).toEqual(
          trace(start(sparse, parameters, times), "step"),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("run() gives the bits of step(), in both kernels", () => {
    fc.assert(
      fc.property(anyLayer, anyTimes, (parameters, times) => {
        const events = trace(start(sparse, parameters, times), "step");
        for (const kernel of [wasm, sparse]) {
          const { layer, state, batch } = start(kernel, parameters, times);
          const open = layer.run(state, batch, times.length);
          expect(bits(state)).toEqual(events.slice(-2 * parameters.units));
          expect(batch.outputs.slice(-parameters.units)).toEqual(state.h.slice());
          const again = start(kernel, parameters, times);
          const each = times.map((t, n) => {
            const { inputs } = again.batch;
            again.state.x.set(inputs.subarray(n * layer.inputs, (n + 1) * layer.inputs));
            const count = again.layer.step(again.state, t);
            const at = n * parameters.units;
            expect(batch.outputs.slice(at, at + parameters.units)).toEqual(again.state.h.slice());
            return count;
          });
          expect(open).toBe(each.reduce((sum, count) => sum + count, 0));
        }
      }),
      { numRuns: 150 },
    );
  });

  it("withOpenRatio() gives the bits of a layer made with those ratios, in all kernels", () => {
    const ratios = fc.constantFrom(0.01, 0.125, 0.5);
    fc.assert(
      fc.property(anyLayer, anyTimes, ratios, (parameters, times, scale) => {
        const openRatio = Float64Array.from(parameters.openRatio, (ratio) => scale * ratio);
        for (const kernel of [wasm, sparse, createReferenceKernel()]) {
          const wide = kernel.createLayer(parameters);
          const [narrowed, made] = [
            wide.withOpenRatio(openRatio),
            kernel.createLayer({ ...parameters, openRatio }),
          ].map((layer) => {
            const state = wide.bind(kernel.allocate(wide.stateLength), 0);
            const opened = times.map((t, n) => {
              state.x.fill(Math.cos(n));
              return layer.step(state, t);
            });
            return [...opened, ...state.c, ...state.h];
          });
          expect(narrowed).toEqual(made);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("withOpenRatio() refuses ratios out of range and gates without", () => {
    const shape = { cell: "phased-lstm", inputs: 2, units: 3, openRatio: 0.5, seed: 1 } as const;
    for (const kernel of [wasm, sparse, createReferenceKernel()]) {
      const gated = kernel.createLayer(randomLayer({ ...shape, gate: "phase" }));
      expect(() => gated.withOpenRatio(new Float64Array(3))).toThrow(
        "openRatio[0] must be in (0, 1], got 0",
      );
      expect(() => gated.withOpenRatio(Float64Array.of(1))).toThrow(
        "openRatio must be 3 numbers, got 1",
      );
      const plain = kernel.createLayer(randomLayer({ ...shape, gate: "always" }));
      expect(() => plain.withOpenRatio(Float64Array.of(1, 1, 1))).toThrow(
        "openRatio must be 0 numbers, got 3",
      );
    }
  });

  it("step() and run() let nothing out of the padding or a neighbour's state or events", () => {
    fc.assert(
      fc.property(anyLayer, (parameters) => {
        const layer = wasm.createLayer(parameters);
        const results = [0, Number.NaN].map((rubbish) => {
          const arena = wasm.allocate(3 * layer.stateLength).fill(rubbish);
          const state = layer.bind(arena, layer.stateLength);
          state.c.fill(0);
          state.h.fill(0);
          state.x.fill(0.5);
          for (const t of [1, 2000, 30_000]) layer.step(state, t);
          const batch = layer.createBatch(3, { keepOutputs: false });
          batch.inputs.fill(rubbish).fill(-0.5, 0, 2 * parameters.inputs);
          batch.timesUs.set([50_000, 60_000, 70_000]);
          layer.run(state, batch, 2);
          return bits(state);
        });
        expect(results[1]).toEqual(results[0]);
      }),
      { numRuns: 100 },
    );
  });

  it("keeps the views that others hold while its memory grows", () => {
    const kernel = createWasmKernel();
    const parameters = randomLayer({
      cell: "lstm",
      gate: "always",
      inputs: 2,
      units: 3,
      openRatio: 1,
      seed: 9,
    });
    const layer = kernel.createLayer(parameters);
    const state = layer.bind(kernel.allocate(layer.stateLength), 0);
    const large = kernel.allocate(10_000_000);
    expect(large.every((value) => value === 0)).toBe(true);
    state.x.set([0.5, 0.25]);
    layer.step(state, 0);
    const expected = start(sparse, parameters, [0]);
    expected.state.x.set([0.5, 0.25]);
    expected.layer.step(expected.state, 0);
    expect(bits(state)).toEqual(bits(expected.state));
  });

  it("release() lets the next stream have the memory, zeroed, and takes nothing twice", () => {
    const arena = wasm.allocate(1000).fill(7);
    wasm.release(arena);
    expect(() => wasm.release(arena)).toThrow("must be in use");
    expect(wasm.allocate(500).byteOffset).not.toBe(arena.byteOffset);
    const next = wasm.allocate(1000);
    expect(next.byteOffset).toBe(arena.byteOffset);
    expect(next.every((value) => value === 0)).toBe(true);
    expect(wasm.allocate(1000).byteOffset).not.toBe(arena.byteOffset);
  });

  it("refuses memory beyond 4 GiB, an arena of another kernel, and too many events", () => {
    expect(() => wasm.allocate(2 ** 31)).toThrow("Cannot grow kernel memory");
    const { layer, state, batch } = start(
      wasm,
      randomLayer({
        cell: "lstm",
        gate: "always",
        inputs: 1,
        units: 1,
        openRatio: 1,
        seed: 0,
      }),
      [0],
    );
    expect(() => layer.bind(sparse.allocate(layer.stateLength), 0)).toThrow(TypeError);
    expect(() => layer.run(state, batch, 2)).toThrow(RangeError);
  });
});
