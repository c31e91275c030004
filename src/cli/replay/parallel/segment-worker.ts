// Entry of a worker thread: replays segments of recorded runs, and whole recordings,
// one after the other.
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import type { FusionModel } from "../../../fusion/fusion-model.ts";
import type { Prediction } from "../../../fusion/prediction.ts";
import { PolyphaseError } from "../../../sensors/polyphase-error.ts";
import { encodeCheckpoint } from "../../../state/checkpoint.ts";
import type { PipelineResult } from "../../../streams/pipeline.ts";
import { openRecordedLogs, type RecordedLog } from "../../../streams/replay/log/recorded-log.ts";
import { replayLog, wholeLog } from "../../../streams/replay/log/replay-log.ts";
import type { Sink } from "../../../streams/sink.ts";
import { prepareModel } from "../../load-model.ts";
import { inFlightMax } from "../replay-recorded-log.ts";
import { replayRecording } from "../replay-recording.ts";
import type {
  ChunkRange,
  SegmentAnswer,
  SegmentJob,
  SegmentOrder,
  SegmentResult,
  SegmentWorkerData,
  SegmentWorkerStart,
  StateMismatch,
} from "./segment-job.ts";

const { model: chosen, mode, late, latenessUs } = workerData as SegmentWorkerData;
const port = parentPort!;
const model = await prepare();
const ending = new AbortController();
const stop = ending.signal;

/** Tells the main thread how this one computes, or ends it. */
async function prepare(): Promise<FusionModel> {
  const warnings: string[] = [];
  const start = (message: SegmentWorkerStart): void => port.postMessage(message);
  try {
    // Frames are encoded here: the threads keep the cores busy as it is.
    const prepared = await prepareModel(
      chosen.stored,
      chosen,
      (warning) => warnings.push(warning),
      "here",
    );
    const names = prepared.encoders.map(({ name }, i) => {
      return [prepared.graph.sensors[i]!.spec.name, name] as const;
    });
    start({ encoders: Object.fromEntries(names), warnings });
    return prepared;
  } catch (error) {
    if (error instanceof PolyphaseError) start({ code: error.code, error: error.message });
    throw error;
  }
}

/** Predictions as NDJSON. */
class Lines implements Sink {
  text = "";
  count = 0;
  /** Nothing more is wanted. */
  isOver = false;

  write(predictions: readonly Prediction[]): void {
    if (this.isOver) return;
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
  const onMismatch = (found: StateMismatch): void => {
    mismatch ??= found;
    // What follows begins with a state that is wrong.
    sink.isOver = true;
  };
  const { counts, streams } =
    chunks === undefined
      ? await replayRecording(paths[0]!, "received", {
          ...{ model, late, latenessUs, warn: ignore },
          pipeline: { model, sink, mode, late, stop },
        })
      : await replaySegments(paths, chunks, sink, onMismatch);
  const { dropped, anomalies } = counts;
  return {
    ...{ index, lines: new TextEncoder().encode(sink.text), predictions: sink.count },
    ...{ dropped, anomalies },
    ...(mismatch === undefined ? {} : { mismatch }),
    states: [...streams].map(([stream, { state }]) => {
      return [stream, encodeCheckpoint(state, model, stream)] as const;
    }),
  };
}

async function replaySegments(
  paths: readonly string[],
  { from, to }: ChunkRange,
  sink: Sink,
  onMismatch: (mismatch: StateMismatch) => void,
): Promise<PipelineResult> {
  const log = await openOnce(paths);
  const states = from === 0 ? (await wholeLog(log, model)).states : await log.states(from);
  return replayLog(log, {
    ...{ model, mode, segment: { from, to, states }, inFlightMax, sink, stop },
    onKeyframe: ({ stream, timeUs, checkpoint }, now) => {
      if (Buffer.compare(checkpoint, now) === 0) return;
      onMismatch({ stream, timeUs, recorded: sha256(checkpoint), replayed: sha256(now) });
    },
  });
}

/** The log of the latest job: the next is most often of the same, whose index may be long. */
let opened: { readonly key: string; readonly log: RecordedLog } | undefined;

async function openOnce(paths: readonly string[]): Promise<RecordedLog> {
  const key = paths.join("\0");
  if (opened?.key === key) return opened.log;
  await closeLog();
  const [run] = await openRecordedLogs(paths);
  opened = { key, log: run!.log! };
  return opened.log;
}

async function closeLog(): Promise<void> {
  await opened?.log.close();
  opened = undefined;
}

function ignore(): void {
  // A recording that is replayed as a whole has nothing to warn of.
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

let underWay: Promise<void> = Promise.resolve();

port.on("message", (order: SegmentOrder) => {
  if (order === "end") {
    ending.abort();
    port.close();
    underWay = underWay.then(closeLog);
    return;
  }
  underWay = answer(order);
});

async function answer(job: SegmentJob): Promise<void> {
  try {
    const result: SegmentAnswer = await replayJob(job);
    port.postMessage(result, [result.lines.buffer]);
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    port.postMessage({ index: job.index, failure } satisfies SegmentAnswer);
  }
}
