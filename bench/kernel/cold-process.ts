// Run by cold-start.ts in a process of its own: what the kernel costs before it is warm. Prints one
// JSON line.
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import { randomEvents, randomLayer } from "./workload.ts";

export interface ColdStart {
  /** Module decoded, compiled, run until it is optimised. */
  readonly loadMs: number;
  /** Of a 40x110 step. The reading of the clock is taken off. */
  readonly firstUs: number;
  readonly next99Us: number;
  readonly laterUs: number;
}

const startMs = performance.now();
const wasm = createWasmKernel();
const loadMs = performance.now() - startMs;

const shape = { inputs: 40, units: 110 };
const layer = wasm.createLayer(randomLayer(shape, 0.05));
const state = layer.bind(wasm.allocate(layer.stateLength), 0);
const { timesUs } = randomEvents(shape.inputs, 1200, 10_000);

/** µs of each event. */
function timeSteps(stepped: Pick<typeof layer, "step">): Float64Array {
  return timesUs.map((timeUs) => {
    const before = performance.now();
    stepped.step(state, timeUs);
    return 1000 * (performance.now() - before);
  });
}

const mean = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value) / values.length;
// First with nothing to do: what this file's own code and the clock take.
const clock = timeSteps({ step: () => 0 }).sort()[600]!;
const step = timeSteps(layer);
const result: ColdStart = {
  loadMs,
  firstUs: step[0]! - clock,
  next99Us: mean(step.subarray(1, 100)) - clock,
  laterUs: mean(step.subarray(1000)) - clock,
};
console.log(JSON.stringify(result));
