import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { GateMode } from "../../../src/cells/gate.ts";
import type { LayerState } from "../../../src/cells/kernels/kernel.ts";
import { epochLengthUs } from "../../../src/cells/kernels/phase-scan.ts";
import type {
  AddressBatch,
  WasmAddressLayer,
} from "../../../src/cells/kernels/wasm-address-layer.ts";
import { createWasmKernel, type WasmKernel } from "../../../src/cells/kernels/wasm-kernel.ts";
import type { LayerParameters } from "../../../src/cells/layer-parameters.ts";
import { randomLayer, uniform } from "./random-layer.ts";

// Hundreds of layers with hundreds of events each, also on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

type Uniform = ReturnType<typeof uniform>;

const INPUTS = 3;
const ADDRESSES = 9;
/** What other ways of finding open units do with a run. */
const kernels = {
  scan: createWasmKernel({ scheduling: "scan" }),
  wheel: createWasmKernel({ scheduling: "wheel" }),
};

interface Case {
  readonly parameters: LayerParameters;
  readonly vectors: Float32Array;
  readonly times: readonly number[];
  readonly next: Uniform;
}

/**
 * Events so close together that many find the same units open, near the instants at which a unit
 * opens or closes or an epoch begins, with ties, steps back and times that are none.
 */
function closeTimes(gate: Oscillators, next: Uniform): number[] {
  return Array.from({ length: 6 }, () => timesBeside(gate, next)).flat();
}

type Oscillators = Pick<LayerParameters, "periodUs" | "shiftUs" | "openRatio">;

function timesBeside(gate: Oscillators, next: Uniform): number[] {
  const { periodUs } = gate;
  const j = Math.floor(next(0, periodUs.length));
  const gapUs = (periodUs[j]! / periodUs.length) * 10 ** next(-4, 0.5);
  const isOneIn = (n: number): boolean => next(0, n) < 1;
  let t = Math.round(instantOf(gate, j, next) - next(0, 30) * gapUs);
  const first = t;
  const times = Array.from({ length: 60 }, () => {
    t += isOneIn(10) ? 0 : Math.round(next(0, 2 * gapUs));
    if (isOneIn(30)) t = Math.round(next(first, t));
    if (isOneIn(50)) t -= Math.round(next(0, 20 * gapUs));
    if (isOneIn(100)) t += 0.5;
    return t;
  });
  return isOneIn(10) ? [...times, Number.NaN] : times;
}

/** When a unit opens or closes, or an epoch begins, somewhere within decades. */
function instantOf(
  { periodUs, shiftUs, openRatio }: Oscillators,
  j: number,
  next: Uniform,
): number {
  const about = next(-1, 1) * 10 ** next(3, 15);
  const lastOf = (length: number, from: number): number =>
    from + Math.floor((about - from) / length) * length;
  const opening = lastOf(periodUs[j]!, shiftUs[j]!);
  const epoch = lastOf(epochLengthUs(Float64Array.from(periodUs)), Math.floor(shiftUs[0]!));
  const instants = [opening, opening + openRatio[j]! * periodUs[j]!, epoch];
  return instants[Math.floor(next(0, instants.length))]!;
}

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    gate: fc.constantFrom<GateMode>("phase", "square", "aligned", "always"),
    units: fc.constantFrom(1, 2, 3, 4, 5, 15, 32, 33, 64, 110),
    openRatio: fc.constantFrom(1e-6, 0.001, 0.02, 0.05, 0.2, 0.999, 1),
    shortestUs: fc.constantFrom(1e-7, 0.3, 30, 1000, 100_000),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .map(({ gate, units, openRatio, shortestUs, seed }) => {
    const next = uniform(seed);
    const any = randomLayer({
      cell: "phased-lstm",
      gate,
      inputs: INPUTS,
      units,
      openRatio,
      seed,
    });
    const periodUs = Float64Array.from(any.periodUs, () => shortestUs * Math.exp(next(0, 6)));
    const parameters = {
      ...any,
      periodUs,
      shiftUs: periodUs.map((period) => next(-period, period)),
      openRatio: periodUs.map(() => openRatio * next(0.5, 1)),
    };
    const vectors = Float32Array.from({ length: INPUTS * ADDRESSES }, () => next(-1, 1));
    const gates =
      gate === "always" ? { periodUs: [1000], shiftUs: [0], openRatio: [1] } : parameters;
    return { parameters, vectors, times: closeTimes({ ...parameters, ...gates }, next), next };
  });

const anyScheduling = fc.constantFrom("scan", "wheel");

/** Runs of one layer beside single steps of another, on a stream's state in each. */
class Twin {
  readonly #runs: WasmAddressLayer;
  readonly #steps: WasmAddressLayer;
  readonly #run: LayerState;
  readonly #step: LayerState;

  constructor(runs: WasmAddressLayer, steps: WasmAddressLayer, kernel: WasmKernel) {
    this.#runs = runs;
    this.#steps = steps;
    this.#run = runs.bind(kernel.allocate(runs.stateLength), 0);
    this.#step = steps.bind(kernels.scan.allocate(steps.stateLength), 0);
  }

  /** Both the same events; true if all is the same then. */
  advance(batch: AddressBatch, count: number): boolean {
    let open = 0;
    for (let n = 0; n < count; n++) {
      open += this.#steps.step(this.#step, batch.timesUs[n]!, batch.addresses[n]!);
    }
    const isOpenAlike = this.#runs.run(this.#run, batch, count) === open;
    return isOpenAlike && areBitsEqual(this.#run, this.#step);
  }

  /** The caller puts other numbers into the states. */
  disturb(next: Uniform): void {
    const unit = Math.floor(next(0, this.#runs.units));
    this.#run.h[unit] = this.#step.h[unit] = next(-1, 1);
    this.#run.c[unit] = this.#step.c[unit] = next(-1, 1);
  }
}

function areBitsEqual(a: LayerState, b: LayerState): boolean {
  return a.h.every((h, j) => Object.is(h, b.h[j]) && Object.is(a.c[j], b.c[j]));
}

describe("WasmAddressLayer.run()", () => {
  it("gives the bits of single steps, whatever the batches, streams in turn and changes by the caller", () => {
    fc.assert(
      fc.property(anyCase, anyScheduling, ({ parameters, vectors, times, next }, scheduling) => {
        const kernel = kernels[scheduling];
        const runs = kernel.createAddressLayer(parameters, vectors);
        const steps = kernels.scan.createAddressLayer(parameters, vectors);
        // Two streams take turns at the same times: the same units are open, their states differ.
        const twins = [0, 1].map(() => new Twin(runs, steps, kernel));
        const batch = runs.createBatch(times.length);
        for (let from = 0, count = 0; from < times.length; from += count) {
          count = Math.min(times.length - from, Math.floor(10 ** next(0, 2)));
          batch.timesUs.set(times.slice(from, from + count));
          for (const twin of twins) {
            batch.addresses.set(batch.addresses.map(() => next(0, ADDRESSES)));
            expect(twin.advance(batch, count)).toBe(true);
            if (next(0, 1) < 0.3) twin.disturb(next);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("takes the phases of the epoch that begins while the same units are open", () => {
    const periodUs = [30, 30];
    const beginUs = 15 + epochLengthUs(Float64Array.from(periodUs));
    const shape = { cell: "phased-lstm", gate: "phase", inputs: 1, units: 2 } as const;
    const parameters = {
      ...randomLayer({ ...shape, openRatio: 1e-4, seed: 6 }),
      periodUs,
      // The second is open for 3 ns around the beginning: its k shows how phases were rounded before.
      shiftUs: [15.2, beginUs - 0.0015],
    };
    const createLayer = () => kernels.scan.createAddressLayer(parameters, Float32Array.of(1, 2));
    const [runs, steps] = [createLayer(), createLayer()];
    const batch = runs.createBatch(24);
    batch.timesUs.set(batch.timesUs.map((_, n) => beginUs + (n - 12) / 10_000));
    expect(new Twin(runs, steps, kernels.scan).advance(batch, 24)).toBe(true);
    const state = steps.bind(kernels.scan.allocate(steps.stateLength), 0);
    expect(Array.from(batch.timesUs, (t) => steps.step(state, t, 0))).toEqual(Array(24).fill(1));
  });

  it("looks again at what it found before more units were open than it keeps", () => {
    const units = 33;
    const shape = { cell: "phased-lstm", gate: "phase", inputs: 1, units } as const;
    const parameters = {
      ...randomLayer({ ...shape, openRatio: 0.5, seed: 7 }),
      periodUs: Array(units).fill(1000),
      shiftUs: Array.from({ length: units }, (_, j) => (j === 32 ? 100 : 0)),
    };
    const createLayer = () => kernels.scan.createAddressLayer(parameters, Float32Array.of(1, 2));
    const [runs, steps] = [createLayer(), createLayer()];
    const batch = runs.createBatch(6);
    batch.timesUs.set([90, 92, 101, 93, 94, 102]);
    expect(new Twin(runs, steps, kernels.scan).advance(batch, 6)).toBe(true);
  });

  it("reads nothing of the padding or of the streams beside it", () => {
    const next = uniform(8);
    const shape = { cell: "phased-lstm", gate: "phase", inputs: INPUTS, openRatio: 0.3 } as const;
    const parameters = randomLayer({ ...shape, units: 21, seed: 8 });
    const vectors = Float32Array.from({ length: INPUTS * ADDRESSES }, () => next(-1, 1));
    const layer = kernels.scan.createAddressLayer(parameters, vectors);
    const batch = layer.createBatch(400);
    batch.timesUs.set(batch.timesUs.map((_, n) => 150 * n));
    batch.addresses.set(batch.addresses.map((_, n) => n % ADDRESSES));
    const [clean, poisoned] = [0, Number.NaN].map((filling) => {
      const arena = kernels.scan.allocate(3 * layer.stateLength).fill(filling);
      const state = layer.bind(arena, layer.stateLength);
      state.h.fill(0);
      state.c.fill(0);
      layer.run(state, batch, 400);
      return [...state.h, ...state.c];
    });
    expect(clean!.every(Number.isFinite)).toBe(true);
    expect(poisoned).toEqual(clean);
  });
});
