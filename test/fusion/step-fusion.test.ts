import { describe, expect, it } from "vitest";
import { chooseKernel } from "../../src/cells/kernels/choose-kernel.ts";
import type { FloatArray, KernelName } from "../../src/cells/kernels/kernel.ts";
import { evaluateDense } from "../../src/fusion/evaluate-dense.ts";
import { createFusionState, type FusionState } from "../../src/fusion/fusion-state.ts";
import { readHead } from "../../src/fusion/read-head.ts";
import { applyEvent, finishTick, type StepMode } from "../../src/fusion/step-fusion.ts";
import { graphOf, type RandomCase, type RandomTick, randomCase } from "./random-graph.ts";

const kernelNames: readonly KernelName[] = ["reference-f64", "sparse-f32", "wasm-f32"];
const kernels = new Map(kernelNames.map((name) => [name, chooseKernel(name).kernel]));

function newState(randomised: RandomCase, kernel: KernelName): FusionState {
  const state = createFusionState(graphOf(randomised, kernels.get(kernel)!));
  state.progress.epochUs = randomised.epochUs;
  return state;
}

function applyTick(state: FusionState, tick: RandomTick, mode: StepMode = "sparse"): void {
  for (const { sensor, features } of tick.events) {
    state.features[sensor]!.set(features);
    applyEvent(state, sensor, tick.timeUs, mode);
  }
  finishTick(state, tick.timeUs, mode);
}

/** The bits of c and h of every layer and of every head. */
function bitsOf(state: FusionState): string {
  const views = [
    ...state.layers.flatMap(({ c, h }) => [c, h]),
    ...state.graph.heads.map(({ index }) => readHead(state, index)),
  ];
  return views.map((view) => Buffer.from(Uint8Array.from(bytesOf(view))).toString("hex")).join(" ");
}

function bytesOf(view: FloatArray): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

describe("applyEvent() and finishTick()", () => {
  it.each(kernelNames)("give the bits of evaluating every row, on 1,000 graphs (%s)", (name) => {
    let closed = 0;
    // Other graphs for each kernel.
    const first = 1000 * kernelNames.indexOf(name);
    for (let seed = first; seed < first + 1000; seed++) {
      const randomised = randomCase(seed);
      const sparse = newState(randomised, name);
      const dense = newState(randomised, name);
      for (const tick of randomised.ticks) {
        applyTick(sparse, tick);
        applyTick(dense, tick, "dense");
      }
      expect(bitsOf(sparse), `seed ${seed}`).toBe(bitsOf(dense));
      expect([...sparse.work.unitUpdates]).toEqual([...dense.work.unitUpdates]);
      sparse.graph.layers.forEach(({ spec }, i) => {
        closed += spec.units * sparse.work.steps[i]! - sparse.work.unitUpdates[i]!;
      });
    }
    // The comparison means something only if much was skipped.
    expect(closed).toBeGreaterThan(50_000);
  });

  it("give the same bits in WebAssembly as in TypeScript", () => {
    for (let seed = 0; seed < 200; seed++) {
      const randomised = randomCase(seed);
      const states = (["sparse-f32", "wasm-f32"] as const).map((name) =>
        newState(randomised, name),
      );
      for (const tick of randomised.ticks) for (const state of states) applyTick(state, tick);
      expect(bitsOf(states[1]!), `seed ${seed}`).toBe(bitsOf(states[0]!));
    }
  });

  it("leave the bits of closed units and of silent branches alone", () => {
    for (let seed = 0; seed < 200; seed++) {
      const randomised = randomCase(seed);
      const state = newState(randomised, "wasm-f32");
      for (const tick of randomised.ticks) {
        const before = state.layers.map(({ c, h }) => ({ c: c.slice(), h: h.slice() }));
        const updatesBefore = state.work.unitUpdates.slice();
        applyTick(state, tick);
        state.layers.forEach(({ c, h }, i) => {
          const changed = Array.from(h).filter((value, j) => {
            return !(Object.is(value, before[i]!.h[j]) && Object.is(c[j], before[i]!.c[j]));
          }).length;
          const updates = state.work.unitUpdates[i]! - updatesBefore[i]!;
          expect(changed, `seed ${seed} layer ${i} at ${tick.timeUs}`).toBeLessThanOrEqual(updates);
        });
      }
    }
  });

  it("do not care in which order sensors of one tick come", () => {
    let reordered = 0;
    for (let seed = 0; seed < 300; seed++) {
      const randomised = randomCase(seed);
      const forward = newState(randomised, "sparse-f32");
      const backward = newState(randomised, "sparse-f32");
      for (const tick of randomised.ticks) {
        // Sensors the other way round; events of one sensor keep their order (spec D16).
        const events = tick.events.toSorted((a, b) => b.sensor - a.sensor);
        if (events.some((event, i) => event !== tick.events[i])) reordered++;
        applyTick(forward, tick);
        applyTick(backward, { ...tick, events });
      }
      expect(bitsOf(backward), `seed ${seed}`).toBe(bitsOf(forward));
    }
    expect(reordered).toBeGreaterThan(500);
  });

  it.each([
    ["reference-f64", 1e-12],
    ["sparse-f32", 1e-5],
    ["wasm-f32", 1e-5],
  ] as const)("agree with evaluateDense() tick by tick (%s)", (name, tolerance) => {
    let worst = 0;
    for (let seed = 0; seed < 200; seed++) {
      const randomised = randomCase(seed);
      const state = newState(randomised, name);
      const results = evaluateDense(state.graph, randomised.ticks, randomised.epochUs);
      for (const tick of randomised.ticks) {
        applyTick(state, tick);
        const { value: expected } = results.next();
        expect(expected?.timeUs).toBe(tick.timeUs);
        state.layers.forEach(({ h }, i) => {
          h.forEach((value: number, j: number) => {
            worst = Math.max(worst, Math.abs(value - expected!.layers[i]![j]!));
          });
        });
        readHead(state, 1).forEach((value: number, i: number) => {
          worst = Math.max(worst, Math.abs(value - expected!.logits[1]![i]!));
        });
      }
    }
    expect(worst).toBeLessThanOrEqual(tolerance);
  });

  it("shift with time: adding an integer to all times and to the epoch changes no bit", () => {
    for (let seed = 0; seed < 100; seed++) {
      const randomised = randomCase(seed);
      const state = newState(randomised, "wasm-f32");
      const shifted = newState(randomised, "wasm-f32");
      shifted.progress.epochUs = randomised.epochUs + 1e13;
      for (const tick of randomised.ticks) {
        applyTick(state, tick);
        applyTick(shifted, { ...tick, timeUs: tick.timeUs + 1e13 });
      }
      expect(bitsOf(shifted), `seed ${seed}`).toBe(bitsOf(state));
    }
  });

  it("begin the session at the first event where nothing else says when", () => {
    const randomised = randomCase(1);
    const spec = { ...randomised.spec, time: { origin: "session-start", epochUs: 0 } as const };
    const state = createFusionState(graphOf({ ...randomised, spec }, kernels.get("sparse-f32")!));
    applyTick(state, randomised.ticks[0]!);
    expect(state.progress.epochUs).toBe(randomised.ticks[0]!.timeUs);
  });
});
