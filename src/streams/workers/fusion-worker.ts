// Entry of a worker thread of FusionWorkerPool: runs whole graphs on its streams.
import { parentPort, workerData } from "node:worker_threads";
import { createWasmKernel } from "../../cells/kernels/wasm-kernel.ts";
import { createFusionModel } from "../../fusion/fusion-model.ts";
import { releaseFusionState } from "../../fusion/fusion-state.ts";
import type { Prediction } from "../../fusion/prediction.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { encodeCheckpoint } from "../../state/checkpoint.ts";
import { StreamFusion } from "../fuse/stream-fusion.ts";
import type { FusionJob, FusionResult, FusionWorkerData } from "./fusion-job.ts";
import type { WorkerAnswer, WorkerJob } from "./worker-threads.ts";

const { share, spec, weights, hash, layers } = workerData as FusionWorkerData;
const kernel = createWasmKernel({ share });
let attached = 0;
// The graph asks for its layers in order; their weights are in the memory already.
const attaching = { ...kernel, createLayer: () => kernel.attachLayer(layers[attached++]!) };
const model = createFusionModel(spec, weights, hash, attaching);
const fusions = new Map<string, StreamFusion>();
let said: Prediction[] = [];

function fusionOf(stream: string): StreamFusion {
  let fusion = fusions.get(stream);
  if (fusion === undefined) {
    const listener = (predictions: readonly Prediction[]): void => {
      for (const prediction of predictions) said.push(prediction);
    };
    fusion = new StreamFusion(model, stream, listener, "sparse");
    fusions.set(stream, fusion);
  }
  return fusion;
}

function run(job: FusionJob): FusionResult {
  const fusion = fusionOf(job.stream);
  said = [];
  if (job.kind === "checkpoint") {
    const checkpoint = encodeCheckpoint(fusion.state, model, job.stream);
    return { predictions: said, events: 0, checkpoint };
  }
  let events = 0;
  if (job.kind === "apply") {
    for (const item of job.items) events += fusion.apply(item, new Map());
  } else {
    fusion.end();
    fusions.delete(job.stream);
    releaseFusionState(fusion.state);
  }
  return { predictions: said, events };
}

parentPort?.on("message", ({ id, job }: WorkerJob<FusionJob>) => {
  let answer: WorkerAnswer<FusionResult>;
  try {
    answer = { id, result: run(job) };
  } catch (error) {
    // Anything else is a bug: the thread ends, and with it all that waits for it.
    if (!(error instanceof PolyphaseError)) throw error;
    answer = { id, error: { code: error.code, message: error.message } };
  }
  parentPort?.postMessage(answer);
});
