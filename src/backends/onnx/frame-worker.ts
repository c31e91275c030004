// Entry of the thread behind createOnnxFrameEncoderThread: encodes one frame after the other.
import { parentPort, workerData } from "node:worker_threads";
import type { AheadEncoder } from "../../fusion/encoder.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { FrameJob, FrameResult, FrameWorkerData, FrameWorkerStart } from "./frame-job.ts";
import { createOnnxFrameEncoder } from "./onnx-frame-encoder.ts";

const { spec, model } = workerData as FrameWorkerData;
const port = parentPort!;

async function encode({ compute }: AheadEncoder, { id, pixels }: FrameJob): Promise<FrameResult> {
  const { name: sensor, width, height } = spec;
  // The caller has checked the event; the network sees nothing of it but its pixels.
  const place = { stream: "", sensor, timeUs: 0, seq: 0 };
  try {
    const features = await compute({ kind: "video", ...place, width, height, pixels });
    return { id, features: features as Float32Array };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

async function start(): Promise<FrameWorkerStart> {
  try {
    const encoder = await createOnnxFrameEncoder(spec, model);
    port.on("message", async (job: FrameJob) => port.postMessage(await encode(encoder, job)));
    return { name: encoder.name, size: encoder.size };
  } catch (error) {
    if (!(error instanceof PolyphaseError)) throw error;
    return { code: error.code, error: error.message };
  }
}

port.postMessage(await start());
