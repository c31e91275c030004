import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { PhaseScan } from "../../../src/cells/kernels/phase-scan.ts";
import { createSparseKernel } from "../../../src/cells/kernels/sparse-kernel.ts";
import { createWasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import type { LayerParameters } from "../../../src/cells/layer-parameters.ts";
import { randomLayer, uniform } from "./random-layer.ts";

// Thousands of events for each of many gates, also on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const wasm = createWasmKernel({ scheduling: "scan" });
/** How long 32-bit phases serve: see assembly/coarse-scan.ts. */
const SPAN_US = 2 ** 20;

interface Gate {
  readonly parameters: LayerParameters;
  readonly times: readonly number[];
}

function randomGate(units: number, openRatio: number, shortestUs: number, seed: number): Gate {
  const next = uniform(seed);
  const periodUs = Float64Array.from({ length: units }, () => shortestUs * Math.exp(next(0, 6)));
  const shiftUs = periodUs.map((period) => next(-period, period));
  const shape = { cell: "phased-lstm", gate: "phase", inputs: 1, units, openRatio, seed } as const;
  const parameters: LayerParameters = {
    ...randomLayer(shape),
    gate: seed % 2 === 0 ? "phase" : "square",
    periodUs,
    shiftUs,
    openRatio: periodUs.map(() => openRatio * next(0.5, 1)),
  };
  return { parameters, times: critical(parameters, next) };
}

/**
 * Times at which a unit opens or closes, and a few µs beside them, near one time after the other;
 * at those the ends of spans, ties, steps back, times between microseconds and one that is none.
 */
function critical({ periodUs, shiftUs, openRatio }: LayerParameters, next: Uniform): number[] {
  const anchor = Math.floor(shiftUs[0]!);
  return Array.from({ length: 8 }, () => {
    const about = Math.floor(next(-1e4, 1e9));
    const edge = anchor + SPAN_US * Math.floor((about - anchor) / SPAN_US);
    const edges = Array.from({ length: 40 }, () => {
      const j = Math.floor(next(0, periodUs.length));
      const turn = Math.floor((about - shiftUs[j]!) / periodUs[j]!);
      const beginning = shiftUs[j]! + turn * periodUs[j]!;
      const window = next(0, 1) < 0.5 ? 0 : openRatio[j]! * periodUs[j]!;
      return Math.round(beginning + window) + Math.floor(next(-2, 3));
    });
    return [about, about, ...edges, edge - 1, edge, edge, edge + SPAN_US, about + 0.5, NaN, about];
  }).flat();
}

type Uniform = ReturnType<typeof uniform>;

const anyGate = fc
  .record({
    units: fc.constantFrom(1, 15, 16, 17, 64, 110, 250),
    openRatio: fc.constantFrom(1e-6, 0.001, 0.05, 0.999, 1),
    shortestUs: fc.constantFrom(0.3, 3, 1000, 100_000),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .map(({ units, openRatio, shortestUs, seed }) => randomGate(units, openRatio, shortestUs, seed));

function openAt(find: (timeUs: number) => Int32Array, times: readonly number[]): number[][] {
  return times.map((timeUs) => Array.from(find(timeUs)));
}

function byFloat64(parameters: LayerParameters): (timeUs: number) => Int32Array {
  const scan = new PhaseScan(parameters);
  const units = new Int32Array(parameters.units);
  const openness = new Float32Array(parameters.units);
  return (timeUs) => units.subarray(0, scan.find(timeUs, units, openness));
}

describe("createWasmKernel(), looking at the gates in 32 bits", () => {
  it("opens the units that float64 opens, at the ends of windows and of spans, in any order", () => {
    fc.assert(
      fc.property(anyGate, ({ parameters, times }) => {
        const gate = wasm.createGate(parameters);
        const find = (t: number) => gate.openUnits.subarray(0, gate.findOpen(t));
        expect(openAt(find, times)).toEqual(openAt(byFloat64(parameters), times));
      }),
      { numRuns: 400 },
    );
  });

  it("gives the same bits whatever was computed before: narrowed on the way, or begun anew", () => {
    const { parameters, times } = randomGate(110, 0.1, 1000, 4);
    const narrow = Float64Array.from(parameters.openRatio, (ratio) => ratio / 3);
    const sparse = createSparseKernel();
    const results = [wasm, wasm, sparse].map((kernel, n) => {
      const wide = kernel.createLayer(parameters);
      const state = wide.bind(kernel.allocate(wide.stateLength), 0);
      let layer = wide;
      return times.flatMap((timeUs, event) => {
        if (event === 100) layer = wide.withOpenRatio(narrow);
        if (event === 200) layer = wide;
        // The second stops here and goes on with the same state in a layer that has seen nothing.
        if (event === 250 && n === 1) layer = kernel.createLayer(parameters);
        state.x[0] = Math.sin(event);
        return [layer.step(state, timeUs), ...state.h, ...state.c];
      });
    });
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});
