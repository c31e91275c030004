import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { GateMode } from "../../../src/cells/gate.ts";
import { createWasmKernel, type WasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import type { GateParameters } from "../../../src/cells/kernels/wasm-layer.ts";
import type { CellKind, LayerParameters } from "../../../src/cells/layer-parameters.ts";
import { randomLayer, uniform } from "./random-layer.ts";

// Thousands of cases, also on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const scanning = createWasmKernel({ scheduling: "scan" });
const turning = createWasmKernel({ scheduling: "wheel" });
const automatic = createWasmKernel();

function randomGate(
  units: number,
  openRatio: number,
  shortestUs: number,
  seed: number,
): GateParameters {
  const next = uniform(seed);
  const periodUs = Float64Array.from({ length: units }, () => shortestUs * Math.exp(next(0, 6)));
  return {
    units,
    gate: seed % 2 === 0 ? "phase" : "square",
    periodUs,
    shiftUs: periodUs.map((period) => next(-period, period)),
    openRatio: periodUs.map(() => openRatio * next(0.5, 1)),
  };
}

function openUnits(kernel: WasmKernel, gate: GateParameters, times: readonly number[]): number[][] {
  const layer = kernel.createGate(gate);
  return times.map((t) => Array.from(layer.openUnits.subarray(0, layer.findOpen(t))));
}

/** h and c, and how many units were open, after each event. */
function statesOf(
  kernel: WasmKernel,
  parameters: LayerParameters,
  times: readonly number[],
  method: "step" | "stepDense",
): unknown[] {
  const layer = kernel.createLayer(parameters);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  const next = uniform(1);
  return times.map((t) => {
    state.x.set(Float32Array.from(state.x, () => next(-1, 1)));
    const open = layer[method](state, t);
    return { open, h: Float32Array.from(state.h), c: Float32Array.from(state.c) };
  });
}

const anyGap = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 50 }) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -40_000, max: 0 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 10_000_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 32, -(2 ** 32), 2 ** 45) },
);

function running(gaps: readonly number[]): number[] {
  let t = 0;
  return gaps.map((gap) => {
    t += gap;
    return t;
  });
}

describe('createWasmKernel({ scheduling: "wheel" })', () => {
  it("opens the units that a scan opens, at any sequence of times", () => {
    fc.assert(
      fc.property(
        fc.record({
          units: fc.constantFrom(1, 63, 64, 65, 300, 4097),
          openRatio: fc.constantFrom(0.001, 0.05, 1),
          shortestUs: fc.constantFrom(3, 1000, 100_000),
          seed: fc.integer({ min: 0, max: 1e6 }),
        }),
        fc.array(anyGap, { minLength: 150, maxLength: 400 }),
        ({ units, openRatio, shortestUs, seed }, gaps) => {
          const gate = randomGate(units, openRatio, shortestUs, seed);
          const times = running(gaps);
          expect(openUnits(turning, gate, times)).toEqual(openUnits(scanning, gate, times));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("opens units in time whose periods are months, which no tick can be told from", () => {
    const units = 100;
    const gate: GateParameters = {
      units,
      gate: "phase",
      periodUs: new Float64Array(units).fill(1e13),
      shiftUs: Float64Array.from({ length: units }, (_, j) => 1000 + 97 * j),
      openRatio: new Float64Array(units).fill(1e-9),
    };
    const times = Array.from({ length: 2000 }, (_, n) => 1000 + 7 * n);
    const scanned = openUnits(scanning, gate, times);
    expect(scanned.some((open) => open.length > 0)).toBe(true);
    expect(openUnits(turning, gate, times)).toEqual(scanned);
  });

  it("leaves the bits that a scan leaves, sparse and dense, however many units are open", () => {
    fc.assert(
      fc.property(
        fc.record({
          cell: fc.constantFrom<CellKind>("phased-lstm", "phased-gru"),
          gate: fc.constantFrom<GateMode>("phase", "square"),
          inputs: fc.integer({ min: 1, max: 9 }),
          units: fc.constantFrom(1, 3, 63, 70, 150),
          openRatio: fc.constantFrom(0.02, 0.3, 0.9),
          seed: fc.integer(),
        }),
        fc.array(anyGap, { minLength: 20, maxLength: 80 }),
        (shape, gaps) => {
          const parameters = randomLayer(shape);
          const times = running(gaps);
          const scanned = statesOf(scanning, parameters, times, "step");
          expect(statesOf(turning, parameters, times, "step")).toEqual(scanned);
          expect(statesOf(turning, parameters, times, "stepDense")).toEqual(scanned);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("opens nothing at a time that is not a number, and goes on", () => {
    const gate = randomGate(100, 1, 1000, 0);
    const times = [10, Number.NaN, 20, Number.POSITIVE_INFINITY, 30];
    expect(openUnits(turning, gate, times)).toEqual(openUnits(scanning, gate, times));
  });
});

describe("createWasmKernel()", () => {
  const dense = Array.from({ length: 200 }, (_, n) => 10 * n);
  const sparse = Array.from({ length: 200 }, (_, n) => 10_000 * n);

  it("takes the wheel for large layers and dense events, and says so", () => {
    const gate = automatic.createGate(randomGate(4096, 0.001, 2700, 2));
    for (const t of dense) gate.findOpen(t);
    expect(gate.scheduling).toBe("wheel");
  });

  it("goes back to the scan when events become sparse", () => {
    const gate = automatic.createGate(randomGate(4096, 0.001, 2700, 2));
    for (const t of dense) gate.findOpen(t);
    for (const t of sparse) gate.findOpen(2000 + t);
    expect(gate.scheduling).toBe("scan");
  });

  it("scans small layers, and large ones if told to", () => {
    const large = randomGate(4096, 0.001, 2700, 2);
    for (const gate of [
      automatic.createGate(randomGate(1000, 0.001, 2700, 2)),
      scanning.createGate(large),
    ]) {
      for (const t of dense) gate.findOpen(t);
      expect(gate.scheduling).toBe("scan");
    }
  });
});
