import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import type { Spread } from "../interleave.ts";
import type { Report } from "../report.ts";
import { EVENTS, randomEvents, randomLayer } from "./workload.ts";

const shape = { inputs: 40, units: 110 };
const CALLS = 400_000;

/** Single calls of a 40x110 step: their distribution, what they allocate, and the cold start. */
export async function benchLatency(report: Report): Promise<void> {
  const startNs = process.hrtime.bigint();
  const wasm = createWasmKernel();
  const startMs = Number(process.hrtime.bigint() - startNs) / 1e6;
  report.row("load-and-pre-warm", "ms", exactly(startMs));

  const layer = wasm.createLayer(randomLayer(shape, 0.05));
  const state = layer.bind(wasm.allocate(layer.stateLength), 0);
  const { timesUs, rows } = randomEvents(shape.inputs, EVENTS, 10_000);
  const durations = new Float64Array(CALLS);
  const measure = (): void => {
    for (let n = 0; n < CALLS; n++) {
      const before = performance.now();
      state.x.set(rows[n % EVENTS]!);
      layer.step(state, timesUs[n % EVENTS]!);
      durations[n] = performance.now() - before;
    }
  };
  const first = firstEvents(layer, state, timesUs);
  measure();
  measure();
  durations.sort();
  for (const [name, share] of [
    ["p50", 0.5],
    ["p99", 0.99],
    ["p99.9", 0.999],
    ["p99.99", 0.9999],
  ] as const) {
    report.row(`${name}:40x110`, "µs", exactly(1000 * durations[Math.floor(share * CALLS)]!));
  }
  report.row("first-100-events:40x110", "µs/event", exactly(first));
  report.row("allocated:40x110", "B/event", exactly(bytesPerEvent(layer, state, timesUs, rows)));
}

type Layer = ReturnType<ReturnType<typeof createWasmKernel>["attachLayer"]>;
type State = ReturnType<Layer["bind"]>;

function firstEvents(layer: Layer, state: State, timesUs: Float64Array): number {
  const before = performance.now();
  for (let n = 0; n < 100; n++) layer.step(state, timesUs[n]!);
  return 10 * (performance.now() - before);
}

/** Growth of the heap over a million events, after a collection. */
function bytesPerEvent(
  layer: Layer,
  state: State,
  timesUs: Float64Array,
  rows: readonly Float32Array[],
): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined)
    throw new Error("Cannot measure allocation: run node with --expose-gc");
  const events = 256 * EVENTS;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < events; n++) {
    state.x.set(rows[n % EVENTS]!);
    layer.step(state, timesUs[n % EVENTS]!);
  }
  return (process.memoryUsage().heapUsed - before) / events;
}

const exactly = (value: number): Spread => ({ value, low: value, high: value });
