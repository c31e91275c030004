import type { BatchKernel } from "../../src/cells/kernels/kernel.ts";
import type { LayerParameters } from "../../src/cells/layer-parameters.ts";
import type { Peer } from "../peers/peer.ts";
import type { Events } from "./workload.ts";

/** One call per event, the features copied in: how a live stream uses a kernel. */
export function perEvent(
  kernel: BatchKernel,
  parameters: LayerParameters,
  method: "step" | "stepDense" = "step",
): Peer {
  const layer = kernel.createLayer(parameters);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  return {
    run:
      method === "step"
        ? ({ timesUs, rows }, count) => {
            for (let n = 0; n < count; n++) {
              state.x.set(rows[n]!);
              layer.step(state, timesUs[n]!);
            }
          }
        : ({ timesUs, rows }, count) => {
            for (let n = 0; n < count; n++) {
              state.x.set(rows[n]!);
              layer.stepDense(state, timesUs[n]!);
            }
          },
    output: () => Float32Array.from(state.h),
  };
}

/** All events in one call. The batch is filled beforehand, as a decoder would. */
export function batched(kernel: BatchKernel, parameters: LayerParameters, events: Events): Peer {
  const layer = kernel.createLayer(parameters);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  const batch = layer.createBatch(events.timesUs.length, { keepOutputs: false });
  batch.timesUs.set(events.timesUs);
  batch.inputs.set(events.inputs);
  return {
    run: (_events, count) => {
      layer.run(state, batch, count);
    },
    output: () => Float32Array.from(state.h),
  };
}
