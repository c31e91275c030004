import type { FusionModel } from "../fusion/fusion-model.ts";
import type { StepMode } from "../fusion/step-fusion.ts";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { TimeUs } from "../sensors/time.ts";
import type { VideoCropper } from "../sensors/video/video-cropper.ts";
import type { Governing } from "../streams/fuse/governing.ts";
import type { LatePolicy } from "../streams/fuse/late-policy.ts";
import type { MergedItem } from "../streams/merge/merged-item.ts";
import type { NdjsonSink } from "../streams/ndjson/ndjson-sink.ts";
import type { PipelineResult } from "../streams/pipeline.ts";
import type { Recorder } from "../streams/record/recorder.ts";
import { openRecordedLogs, type RecordedLog } from "../streams/replay/log/recorded-log.ts";
import type { Pace } from "../streams/replay/pace.ts";
import type { Sink } from "../streams/sink.ts";
import { checkBudget } from "./budget-options.ts";
import { replayRecordedLog } from "./replay/replay-recorded-log.ts";
import { replayRecording } from "./replay/replay-recording.ts";
import { ReplayTotals } from "./replay/replay-totals.ts";
import type { RunRequest } from "./replay/run-request.ts";
import type { TimePoint } from "./replay/time-window.ts";
import type { RunSummary } from "./summarise-run.ts";

export interface ReplayRequest {
  readonly paths: readonly string[];
  readonly model: FusionModel;
  /** Where the weights come from, for the summary. */
  readonly weights: string;
  readonly sink: Sink;
  /** Keeps the digest of what the sink got. */
  readonly digest: NdjsonSink;
  /** `recorded`: as a recorder's files were applied then; other files as they were received. */
  readonly order: "recorded" | "received" | "event";
  /** How much earlier than its sensor's latest event an event may be. Default 0. */
  readonly latenessUs?: number;
  /** What becomes of events that are later. Default `drop`; for `recorded`, as it was then. */
  readonly late?: LatePolicy;
  readonly mode?: StepMode;
  /** Compute that each stream may take. Default: no limit. */
  readonly governing?: Governing;
  /** What cuts whole pictures of cameras, by sensor. Default: they are recorded as the model takes them. */
  readonly croppers?: ReadonlyMap<string, VideoCropper>;
  readonly tap?: (item: MergedItem) => void;
  /** Predictions are wanted from and to here. Default: all. */
  readonly start?: TimePoint;
  readonly end?: TimePoint;
  /** The sensors that are read. Default: all. */
  readonly sensors?: ReadonlySet<string>;
  /** How often everything is replayed; the summary is of the last time. Default 1. */
  readonly times?: number;
  /** Makes a pace for each run. Default: as fast as it goes. */
  readonly pace?: (fromUs: TimeUs | undefined) => Pace;
  /** Makes a recorder for each run, which this function closes. */
  readonly recorder?: (path: string, late: LatePolicy) => Promise<Recorder>;
  /** The options that ask for the budget of `governing`; empty without one. */
  readonly budget?: string;
  /** Told what the user should know. */
  readonly warn?: (message: string) => void;
  readonly stop?: AbortSignal;
}

/** Replays recordings one after the other through one model. */
export async function runReplay(request: ReplayRequest): Promise<RunSummary> {
  const { paths, sink, stop, order, times = 1 } = request;
  const logs = order === "recorded" ? await openRecordedLogs(paths) : [];
  const runs = order === "recorded" ? logs : paths.map((path): Run => ({ paths: [path] }));
  const totals = new ReplayTotals();
  const startedAt = performance.now();
  try {
    for (let time = 0; time < times && stop?.aborted !== true; time++) {
      totals.clear();
      for (const run of runs) {
        if (stop?.aborted) break;
        totals.add(run.paths[0]!, await replayOne(run, request));
      }
    }
  } finally {
    for (const { log } of logs) await log?.close();
  }
  await sink.close();
  return totals.summary(request, (performance.now() - startedAt) / 1000);
}

interface Run {
  readonly paths: readonly string[];
  readonly log?: RecordedLog;
}

async function replayOne({ paths, log }: Run, request: ReplayRequest): Promise<PipelineResult> {
  const { model, sink, order, mode = "sparse", tap, stop, warn = () => undefined } = request;
  const { governing, croppers } = request;
  if (log !== undefined && croppers !== undefined) throw croppedThen(paths[0]!);
  if (log !== undefined) checkBudget(paths[0]!, log.metadata["budget"], request.budget);
  const late = request.late ?? log?.late ?? { policy: "drop" };
  const recorder = await request.recorder?.(paths[0]!, late);
  const pace = (fromUs: TimeUs | undefined): Pace => {
    const created = request.pace!(fromUs);
    stop?.addEventListener("abort", () => created.abort());
    return created;
  };
  const run: RunRequest = {
    ...request,
    late,
    warn,
    ...(request.pace === undefined ? {} : { pace }),
    pipeline: {
      model,
      // The sink goes on to the next recording.
      sink: { write: (predictions) => sink.write(predictions), close: async () => undefined },
      mode,
      late,
      ...(governing === undefined ? {} : { governing }),
      ...(tap === undefined ? {} : { tap }),
      ...(stop === undefined ? {} : { stop }),
      ...(croppers === undefined ? {} : { croppers }),
      ...(recorder === undefined ? {} : { recorder }),
    },
  };
  try {
    return log === undefined
      ? await replayRecording(paths[0]!, order === "event" ? "event" : "received", run)
      : await replayRecordedLog(log, run);
  } finally {
    await recorder?.close();
  }
}

function croppedThen(path: string): PolyphaseError {
  return new PolyphaseError(
    "USAGE",
    `Cannot replay ${path} as it was recorded with --crop: its pictures entered the graph as they are; leave --crop out`,
  );
}
