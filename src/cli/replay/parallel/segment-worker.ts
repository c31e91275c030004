// Entry of a worker thread: replays what it is told, beside the main thread.
import { parentPort, workerData } from "node:worker_threads";
import { PolyphaseError } from "../../../sensors/polyphase-error.ts";
import { prepareModel } from "../../load-model.ts";
import type {
  SegmentAnswer,
  SegmentFailure,
  SegmentJob,
  SegmentOrder,
  SegmentWorkerData,
  SegmentWorkerStart,
} from "./segment-job.ts";
import { SegmentReplayer } from "./segment-replayer.ts";

const { model, ...options } = workerData as SegmentWorkerData;
const port = parentPort!;
const replayer = await prepare();

/** Tells the main thread that this one can begin, or ends it. */
async function prepare(): Promise<SegmentReplayer> {
  try {
    // The main thread has told what there is to warn of: its model is the same.
    const prepared = await prepareModel(model.stored, model, () => undefined, "here");
    port.postMessage("ready" satisfies SegmentWorkerStart);
    return new SegmentReplayer(prepared, options);
  } catch (error) {
    port.postMessage(failureOf(error) satisfies SegmentWorkerStart);
    throw error;
  }
}

let underWay: Promise<void> = Promise.resolve();
let isOver = false;

port.on("message", (order: SegmentOrder) => {
  if (order !== "end") {
    underWay = underWay.then(() => (isOver ? undefined : answer(order)));
    return;
  }
  isOver = true;
  port.close();
  void replayer.close();
});

async function answer(job: SegmentJob): Promise<void> {
  try {
    const result: SegmentAnswer = await replayer.replay(job);
    port.postMessage(result, [result.lines.buffer]);
  } catch (error) {
    port.postMessage(failureOf(error) satisfies SegmentAnswer);
  }
}

function failureOf(error: unknown): SegmentFailure {
  if (error instanceof PolyphaseError) return { code: error.code, error: error.message };
  return { code: "FAILED", error: error instanceof Error ? error.message : String(error) };
}
