import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import type { Spread } from "../interleave.ts";
import type { Report } from "../report.ts";
import { EVENTS, randomEvents, randomLayer } from "./workload.ts";

const shape = { inputs: 40, units: 110 };
const CALLS = 200_000;
const ROUNDS = 9;
const quantiles = [
  ["p50", 0.5],
  ["p99", 0.99],
  ["p99.9", 0.999],
  ["p99.99", 0.9999],
] as const;

/** Single calls of a 40x110 step: their distribution, and what they allocate. */
export async function benchLatency(report: Report): Promise<void> {
  const wasm = createWasmKernel();
  const layer = wasm.createLayer(randomLayer(shape, 0.05));
  const state = layer.bind(wasm.allocate(layer.stateLength), 0);
  const { timesUs, rows } = randomEvents(shape.inputs, EVENTS, 10_000);
  reportTail(report, layer, state, timesUs, rows);
  report.row("allocated:40x110", "B/event", exactly(bytesPerEvent(layer, state, timesUs, rows)));
}

type Layer = ReturnType<ReturnType<typeof createWasmKernel>["attachLayer"]>;
type State = ReturnType<Layer["bind"]>;

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
  const durations = new Float64Array(CALLS);
  const best = new Float64Array(EVENTS).fill(Number.POSITIVE_INFINITY);
  const tails = new Map(Object.keys(variants).map((name) => [name, [] as Float64Array[]]));
  // In turn, so that what disturbs the machine disturbs all alike; the first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, run] of Object.entries(variants)) {
      timeCalls(run, durations);
      if (round === 0) continue;
      tails.get(name)!.push(durations.toSorted());
      if (name === "step") keepBest(best, durations);
    }
  }
  const at = (name: string, share: number): number[] =>
    tails.get(name)!.map((sorted) => 1000 * sorted[Math.floor(share * CALLS)]!);
  const clockUs = at("clock", 0.5);
  const net = (name: string, share: number): Spread =>
    range(at(name, share).map((us, round) => us - clockUs[round]!));
  report.row("p50:clock", "µs", range(clockUs));
  report.row("p99.9:clock", "µs", range(at("clock", 0.999)));
  for (const [quantile, share] of quantiles) {
    report.row(`${quantile}:same-time:40x110`, "µs", net("same-time", share));
    report.row(`${quantile}:40x110`, "µs", net("step", share));
  }
  // The same events come round hundreds of times: what is slow every time is the step's own doing.
  const least = best.toSorted();
  for (const [quantile, share] of [
    ["p99.9", 0.999],
    ["most", 1 - 1 / EVENTS],
  ] as const) {
    const us = 1000 * least[Math.floor(share * EVENTS)]! - Math.min(...clockUs);
    report.row(`${quantile}:each-event-at-best:40x110`, "µs", exactly(us));
  }
  report.row("most-open:40x110", "units", exactly(Math.max(...open)));
}

function keepBest(best: Float64Array, durations: Float64Array): void {
  for (let n = 0; n < durations.length; n++) {
    best[n % EVENTS] = Math.min(best[n % EVENTS]!, durations[n]!);
  }
}

/** Median, quietest and noisiest round. */
function range(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { value: sorted[sorted.length >> 1]!, low: sorted[0]!, high: sorted.at(-1)! };
}

function timeCalls(run: (n: number) => void, durations: Float64Array): void {
  for (let n = 0; n < durations.length; n++) {
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
