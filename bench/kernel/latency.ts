import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import type { Spread } from "../interleave.ts";
import type { Report } from "../report.ts";
import { EVENTS, randomEvents, randomLayer } from "./workload.ts";

const shape = { inputs: 40, units: 110 };
const CALLS = 400_000;
const quantiles = [
  ["p50", 0.5],
  ["p99", 0.99],
  ["p99.9", 0.999],
  ["p99.99", 0.9999],
] as const;

/** Single calls of a 40x110 step: their distribution, what they allocate, and the cold start. */
export async function benchLatency(report: Report): Promise<void> {
  const startNs = process.hrtime.bigint();
  const wasm = createWasmKernel();
  const startMs = Number(process.hrtime.bigint() - startNs) / 1e6;
  report.row("load-and-pre-warm", "ms", exactly(startMs));

  const layer = wasm.createLayer(randomLayer(shape, 0.05));
  const state = layer.bind(wasm.allocate(layer.stateLength), 0);
  const { timesUs, rows } = randomEvents(shape.inputs, EVENTS, 10_000);
  report.row("first-100-events:40x110", "µs/event", exactly(firstEvents(layer, state, timesUs)));
  reportTail(report, layer, state, timesUs, rows);
  report.row("allocated:40x110", "B/event", exactly(bytesPerEvent(layer, state, timesUs, rows)));
}

type Layer = ReturnType<ReturnType<typeof createWasmKernel>["attachLayer"]>;
type State = ReturnType<Layer["bind"]>;

function firstEvents(layer: Layer, state: State, timesUs: Float64Array): number {
  const before = performance.now();
  for (let n = 0; n < 100; n++) layer.step(state, timesUs[n]!);
  return 10 * (performance.now() - before);
}

/**
 * The tail of single calls, and in the same loop what belongs to others: the two readings of the
 * clock, and a step that always does the same (all events at one time at which the mean number of
 * units is open), whose own tail is that of the machine.
 */
function reportTail(
  report: Report,
  layer: Layer,
  state: State,
  timesUs: Float64Array,
  rows: readonly Float32Array[],
): void {
  const open = timesUs.map((t) => layer.findOpen(t));
  const mean = Math.round(open.reduce((sum, count) => sum + count) / EVENTS);
  const usualUs = timesUs[open.indexOf(mean)]!;
  const variants = {
    clock: (): void => undefined,
    "same-time": (n: number): void => {
      state.x.set(rows[n]!);
      layer.step(state, usualUs);
    },
    step: (n: number): void => {
      state.x.set(rows[n]!);
      layer.step(state, timesUs[n]!);
    },
  };
  const durations = new Map(
    Object.entries(variants).map(([name]) => [name, new Float64Array(CALLS)]),
  );
  // Chunk by chunk, so that what disturbs the machine disturbs all alike; the first lap warms up.
  for (let lap = 0; lap < 2; lap++) {
    for (let from = 0; from < CALLS; from += EVENTS) {
      for (const [name, run] of Object.entries(variants)) {
        timeCalls(run, durations.get(name)!, from, Math.min(CALLS, from + EVENTS));
      }
    }
  }
  for (const values of durations.values()) values.sort();
  const at = (name: string, share: number): number =>
    1000 * durations.get(name)![Math.floor(share * CALLS)]!;
  const clockUs = at("clock", 0.5);
  report.row("p50:clock", "µs", exactly(clockUs));
  report.row("p99.9:clock", "µs", exactly(at("clock", 0.999)));
  for (const [quantile, share] of quantiles) {
    report.row(`${quantile}:same-time:40x110`, "µs", exactly(at("same-time", share) - clockUs));
    report.row(`${quantile}:40x110`, "µs", exactly(at("step", share) - clockUs));
  }
  report.row("most-open:40x110", "units", exactly(Math.max(...open)));
}

function timeCalls(
  run: (n: number) => void,
  durations: Float64Array,
  from: number,
  to: number,
): void {
  for (let n = from; n < to; n++) {
    const before = performance.now();
    run(n % EVENTS);
    durations[n] = performance.now() - before;
  }
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
