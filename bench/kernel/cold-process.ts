// Run by cold-start.ts in a process of its own: what the kernel costs before it is warm. Prints one
// JSON line.
import { setTimeout as sleep } from "node:timers/promises";
import type { LayerKernel, LayerState } from "../../src/cells/kernels/kernel.ts";
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { WasmMemory } from "../../src/cells/kernels/wasm-memory.ts";
import { wasmModuleBase64 } from "../../src/cells/kernels/wasm-module.ts";
import { webAssemblyApi } from "../../src/cells/kernels/web-assembly.ts";
import { decodeBase64 } from "../../src/sensors/decode-base64.ts";
import { randomEvents, randomLayer } from "./workload.ts";

export interface ColdStart {
  /** Module decoded and compiled, memory reserved. */
  readonly loadMs: number;
  /** Instantiated and run until it is optimised. */
  readonly preWarmMs: number;
  /** Weights of a 40x110 layer packed and a state bound, by code that runs for the first time. */
  readonly firstLayerMs: number;
  /** Of a 40x110 step. The reading of the clock is taken off. */
  readonly firstUs: number;
  readonly next99Us: number;
  readonly laterUs: number;
  /** Median of steps that each come 10 ms after the one before, as a live stream's do. */
  readonly pausedUs: number;
}

const shape = { inputs: 40, units: 110 };
const parameters = randomLayer(shape, 0.05);
const EVENTS = 1200;
const PAUSED = 40;
/** Times as a live stream has them. */
const originUs = Date.UTC(2026, 0) * 1000;
const timesUs = randomEvents(shape.inputs, EVENTS, 10_000).timesUs.map((t) => originUs + t);
const durations = new Float64Array(EVENTS);

type Stepped = Pick<LayerKernel, "step">;

/** µs of each event, in `durations`. */
function timeSteps(stepped: Stepped, state: LayerState): void {
  for (let n = 0; n < EVENTS; n++) {
    const before = performance.now();
    stepped.step(state, timesUs[n]!);
    durations[n] = 1000 * (performance.now() - before);
  }
}

/**
 * Has this loop optimised before the kernel is there, with things to do of so many shapes that the
 * engine takes none of them for granted: what is measured is the kernel that is cold.
 *
 * @returns what the clock takes, µs
 */
function warmUpClock(): number {
  const nobody = {} as LayerState;
  const idle: Stepped[] = [
    { step: () => 0 },
    Object.assign({ step: () => 1 }, { a: 0 }),
    Object.assign({ step: () => 2 }, { b: 0 }),
    Object.assign({ step: () => 3 }, { c: 0 }),
    Object.assign({ step: () => 4 }, { d: 0 }),
    Object.assign({ step: () => 5 }, { e: 0 }),
  ];
  for (let pass = 0; pass < 30; pass++) for (const one of idle) timeSteps(one, nobody);
  return durations.toSorted()[EVENTS / 2]!;
}

/** The first PAUSED of `durations`: of events 10 ms apart, by the clock and for the gates. */
async function timePausedSteps(): Promise<void> {
  for (let n = 0; n < PAUSED; n++) {
    await sleep(10);
    const before = performance.now();
    layer.step(state, timesUs[EVENTS - 1]! + 10_000 * (n + 1));
    durations[n] = 1000 * (performance.now() - before);
  }
}

const clockUs = warmUpClock();
const api = webAssemblyApi()!;
const startMs = performance.now();
const module = new api.Module(decodeBase64(wasmModuleBase64));
const memory = new WasmMemory().handle;
const loadedMs = performance.now();
const wasm = createWasmKernel({ share: { module, memory } });
const warmMs = performance.now();
const layer = wasm.createLayer(parameters);
const state = layer.bind(wasm.allocate(layer.stateLength), 0);
const boundMs = performance.now();
timeSteps(layer, state);
const early = durations.slice();
await timePausedSteps();

const mean = (from: number, to: number): number =>
  early.subarray(from, to).reduce((sum, us) => sum + us) / (to - from) - clockUs;
const result: ColdStart = {
  loadMs: loadedMs - startMs,
  preWarmMs: warmMs - loadedMs,
  firstLayerMs: boundMs - warmMs,
  firstUs: mean(0, 1),
  next99Us: mean(1, 100),
  laterUs: mean(1000, EVENTS),
  pausedUs: durations.subarray(0, PAUSED).toSorted()[PAUSED / 2]! - clockUs,
};
console.log(JSON.stringify(result));
