// Entry of a worker thread: replays segments of recorded runs, one after the other.
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { encodeCheckpoint } from "../../../state/checkpoint.ts";
import { openRecordedLogs, type RecordedLog } from "../../../streams/replay/log/recorded-log.ts";
import { replayLog, wholeLog } from "../../../streams/replay/log/replay-log.ts";
import { chooseModel, prepareModel } from "../../load-model.ts";
import type {
  SegmentAnswer,
  SegmentJob,
  SegmentResult,
  SegmentWorkerData,
  StateMismatch,
} from "./segment-job.ts";

const { model: choice, mode } = workerData as SegmentWorkerData;
const chosen = await chooseModel(choice.model, choice.seed);
// What there is to be said was said by the main thread.
const model = await prepareModel(chosen.stored, choice, () => undefined);
const inFlightMax = 8_192;

async function replaySegment(job: SegmentJob): Promise<SegmentResult> {
  const [run] = await openRecordedLogs(job.paths);
  const log = run!.log!;
  try {
    return await replayOpened(log, job);
  } finally {
    await log.close();
  }
}

async function replayOpened(
  log: RecordedLog,
  { index, from, to }: SegmentJob,
): Promise<SegmentResult> {
  const states = from === 0 ? (await wholeLog(log, model)).states : await log.states(from);
  let lines = "";
  let predictions = 0;
  let mismatch: StateMismatch | undefined;
  const { counts, streams } = await replayLog(log, {
    model,
    mode,
    segment: { from, to, states },
    inFlightMax,
    sink: {
      write: (some) => {
        for (const prediction of some) lines += `${JSON.stringify(prediction)}\n`;
        predictions += some.length;
      },
      close: async () => undefined,
    },
    onKeyframe: ({ stream, timeUs, checkpoint }, now) => {
      if (Buffer.compare(checkpoint, now) === 0) return;
      mismatch ??= { stream, timeUs, recorded: sha256(checkpoint), replayed: sha256(now) };
    },
  });
  const { dropped, anomalies } = counts;
  return {
    ...{ index, lines, predictions, dropped, anomalies },
    ...(mismatch === undefined ? {} : { mismatch }),
    states: [...streams].map(([stream, { state }]) => {
      return [stream, encodeCheckpoint(state, model, stream)] as const;
    }),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

parentPort?.on("message", (job: SegmentJob) => {
  const answer = (result: SegmentAnswer): void => parentPort?.postMessage(result);
  replaySegment(job).then(answer, (error: unknown) => {
    answer({ index: job.index, failure: error instanceof Error ? error.message : String(error) });
  });
});
