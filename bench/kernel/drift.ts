import { createReferenceKernel } from "../../src/cells/kernels/reference-kernel.ts";
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import type { Report } from "../report.ts";
import { randomEvents, randomLayer, shapes } from "./workload.ts";

const EVENTS = 1_000_000;

/** How far c and h in float32 are from float64 at most, over a million events. */
export async function benchDrift(report: Report): Promise<void> {
  const shape = shapes[0]!;
  const parameters = randomLayer(shape, 0.05);
  const { timesUs, rows } = randomEvents(shape.inputs, 4096, 10_000);
  const layers = [createWasmKernel(), createReferenceKernel()].map((kernel) => {
    const layer = kernel.createLayer(parameters);
    return { layer, state: layer.bind(kernel.allocate(layer.stateLength), 0) };
  });
  const [fast, exact] = layers as [(typeof layers)[0], (typeof layers)[0]];
  let worst = 0;
  for (let n = 0; n < EVENTS; n++) {
    const lap = Math.floor(n / 4096) * timesUs[4095]!;
    for (const { layer, state } of layers) {
      state.x.set(rows[n % 4096]!);
      layer.step(state, lap + timesUs[n % 4096]!);
    }
    if (n % 1000 !== 999) continue;
    for (let j = 0; j < shape.units; j++) {
      worst = Math.max(
        worst,
        Math.abs(fast.state.h[j]! - exact.state.h[j]!),
        Math.abs(fast.state.c[j]! - exact.state.c[j]!),
      );
    }
  }
  report.row("drift-1e6-events:40x110", "max |Δ|", { value: worst, low: worst, high: worst });
}
