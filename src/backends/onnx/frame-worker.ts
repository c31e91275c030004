// Entry of the thread behind createOnnxFrameEncoderThread: encodes frames, one job after the other.
import { parentPort, workerData } from "node:worker_threads";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { FrameJob, FrameResult, FrameWorkerData, FrameWorkerStart } from "./frame-job.ts";
import { type FrameNetwork, loadFrameNetwork } from "./frame-network.ts";

const { spec, model } = workerData as FrameWorkerData;
const port = parentPort!;

async function answer(network: FrameNetwork, { id, pixels }: FrameJob): Promise<void> {
  const send = (result: FrameResult, handedOver: ArrayBuffer[]): void => {
    port.postMessage(result, handedOver);
  };
  try {
    const codes = await network.encode(pixels);
    send({ id, codes }, [codes.buffer]);
  } catch (error) {
    send({ id, error: error instanceof Error ? error.message : String(error) }, []);
  }
}

async function start(): Promise<FrameWorkerStart> {
  try {
    const network = await loadFrameNetwork(spec, model);
    port.on("message", (job: FrameJob) => answer(network, job));
    return { name: network.name, size: network.size };
  } catch (error) {
    if (!(error instanceof PolyphaseError)) throw error;
    return { code: error.code, error: error.message };
  }
}

port.postMessage(await start());
