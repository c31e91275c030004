// Run by cold-start.ts in a process of its own: what the kernel costs before it is warm. Prints one
// JSON line.
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
}

const api = webAssemblyApi()!;
const startMs = performance.now();
const module = new api.Module(decodeBase64(wasmModuleBase64));
const memory = new WasmMemory().handle;
const loadedMs = performance.now();
const wasm = createWasmKernel({ share: { module, memory } });
const warmMs = performance.now();

const shape = { inputs: 40, units: 110 };
const parameters = randomLayer(shape, 0.05);
const layerMs = performance.now();
const layer = wasm.createLayer(parameters);
const state = layer.bind(wasm.allocate(layer.stateLength), 0);
const boundMs = performance.now();
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
  loadMs: loadedMs - startMs,
  preWarmMs: warmMs - loadedMs,
  firstLayerMs: boundMs - layerMs,
  firstUs: step[0]! - clock,
  next99Us: mean(step.subarray(1, 100)) - clock,
  laterUs: mean(step.subarray(1000)) - clock,
};
console.log(JSON.stringify(result));
