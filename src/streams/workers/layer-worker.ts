// Entry of a worker thread of LayerWorkerPool: runs batches on layers in shared memory.
import { parentPort, workerData } from "node:worker_threads";
import type { BatchLayerKernel } from "../../cells/kernels/kernel.ts";
import { createWasmKernel, type WasmKernelShare } from "../../cells/kernels/wasm-kernel.ts";
import type { LayerJob } from "./layer-job.ts";
import type { WorkerAnswer, WorkerJob } from "./worker-threads.ts";

const kernel = createWasmKernel({ share: workerData as WasmKernelShare });
const layers = new Map<number, BatchLayerKernel>();

parentPort?.on("message", ({ id, job }: WorkerJob<LayerJob>) => {
  const { layer: address, state, batch, count } = job;
  let layer = layers.get(address);
  if (layer === undefined) {
    layer = kernel.attachLayer(address);
    layers.set(address, layer);
  }
  const answer: WorkerAnswer<number> = { id, result: layer.run(state, batch, count) };
  parentPort?.postMessage(answer);
});
