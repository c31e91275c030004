// Entry of a worker thread: replays segments of recorded runs, and whole recordings,
// one after the other.
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import type { Prediction } from "../../../fusion/prediction.ts";
import { encodeCheckpoint } from "../../../state/checkpoint.ts";
import type { PipelineResult } from "../../../streams/pipeline.ts";
import { openRecordedLogs } from "../../../streams/replay/log/recorded-log.ts";
import { replayLog, wholeLog } from "../../../streams/replay/log/replay-log.ts";
import type { Sink } from "../../../streams/sink.ts";
import { chooseModel, prepareModel } from "../../load-model.ts";
import { replayRecording } from "../replay-recording.ts";
import type {
  ChunkRange,
  SegmentAnswer,
  SegmentJob,
  SegmentOrder,
  SegmentResult,
  SegmentWorkerData,
  StateMismatch,
} from "./segment-job.ts";

const { model: choice, mode, late, latenessUs } = workerData as SegmentWorkerData;
const chosen = await chooseModel(choice.model, choice.seed);
// What there is to be said was said by the main thread.
const warn = (): void => undefined;
const model = await prepareModel(chosen.stored, choice, warn);
const inFlightMax = 8_192;
const ending = new AbortController();
const stop = ending.signal;

/** Predictions as NDJSON. */
class Lines implements Sink {
  text = "";
  count = 0;

  write(predictions: readonly Prediction[]): void {
    for (const prediction of predictions) this.text += `${JSON.stringify(prediction)}\n`;
    this.count += predictions.length;
  }

  async close(): Promise<void> {
    // Nothing is held back.
  }
}

async function replayJob({ index, paths, chunks }: SegmentJob): Promise<SegmentResult> {
  const sink = new Lines();
  let mismatch: StateMismatch | undefined;
  const { counts, streams } =
    chunks === undefined
      ? await replayRecording(paths[0]!, "received", {
          ...{ model, late, latenessUs, warn },
          pipeline: { model, sink, mode, late, stop },
        })
      : await replaySegment(paths, chunks, sink, (found) => {
          mismatch ??= found;
        });
  const { dropped, anomalies } = counts;
  return {
    ...{ index, lines: sink.text, predictions: sink.count, dropped, anomalies },
    ...(mismatch === undefined ? {} : { mismatch }),
    states: [...streams].map(([stream, { state }]) => {
      return [stream, encodeCheckpoint(state, model, stream)] as const;
    }),
  };
}

async function replaySegment(
  paths: readonly string[],
  { from, to }: ChunkRange,
  sink: Sink,
  onMismatch: (mismatch: StateMismatch) => void,
): Promise<PipelineResult> {
  const [run] = await openRecordedLogs(paths);
  const log = run!.log!;
  try {
    const states = from === 0 ? (await wholeLog(log, model)).states : await log.states(from);
    return await replayLog(log, {
      ...{ model, mode, segment: { from, to, states }, inFlightMax, sink, stop },
      onKeyframe: ({ stream, timeUs, checkpoint }, now) => {
        if (Buffer.compare(checkpoint, now) === 0) return;
        onMismatch({ stream, timeUs, recorded: sha256(checkpoint), replayed: sha256(now) });
      },
    });
  } finally {
    await log.close();
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

parentPort?.on("message", (job: SegmentOrder) => {
  if (job === "end") {
    ending.abort();
    parentPort?.close();
    return;
  }
  const answer = (result: SegmentAnswer): void => parentPort?.postMessage(result);
  replayJob(job).then(answer, (error: unknown) => {
    answer({ index: job.index, failure: error instanceof Error ? error.message : String(error) });
  });
});
