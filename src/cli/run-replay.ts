import type { FusionModel } from "../fusion/fusion-model.ts";
import type { StepMode } from "../fusion/step-fusion.ts";
import type { Governing } from "../streams/fuse/governing.ts";
import type { LatePolicy } from "../streams/fuse/late-policy.ts";
import type { StreamFusion } from "../streams/fuse/stream-fusion.ts";
import type { MergedSensor } from "../streams/merge/merge-options.ts";
import type { MergedItem } from "../streams/merge/merged-item.ts";
import type { NdjsonSink } from "../streams/ndjson/ndjson-sink.ts";
import { type PipelineResult, runPipeline } from "../streams/pipeline.ts";
import { openRecording, type Recording } from "../streams/replay/recording-reader.ts";
import { replaySource } from "../streams/replay/replay-source.ts";
import type { Sink } from "../streams/sink.ts";
import { addCounts, durationUs, type RunSummary, summariseRun } from "./summarise-run.ts";

/** Items a replay keeps waiting for slower sensors, and unacknowledged, at most. */
const waitingMax = 16_384;
const inFlightMax = 32_768;

export interface ReplayRequest {
  readonly paths: readonly string[];
  readonly model: FusionModel;
  /** Where the weights come from, for the summary. */
  readonly weights: string;
  readonly sink: Sink;
  /** Keeps the digest of what the sink got. */
  readonly digest: NdjsonSink;
  readonly order: "received" | "event";
  /** How much earlier than its sensor's latest event an event may be. Default 0. */
  readonly latenessUs?: number;
  /** What becomes of events that are later. Default `drop`. */
  readonly late?: LatePolicy;
  readonly mode?: StepMode;
  /** Compute that each stream may take. Default: no limit. */
  readonly governing?: Governing;
  readonly tap?: (item: MergedItem) => void;
  readonly stop?: AbortSignal;
}

/** Replays recordings one after the other through one model. */
export async function runReplay(request: ReplayRequest): Promise<RunSummary> {
  const { paths, sink, stop } = request;
  const streams = new Map<string, StreamFusion>();
  const dropped: Record<string, number> = {};
  const anomalies: Record<string, number> = {};
  let eventUs = 0;
  const startedAt = performance.now();
  for (const path of paths) {
    if (stop?.aborted) break;
    const result = await replayOne(path, request);
    for (const [stream, fusion] of result.streams) {
      streams.set(streams.has(stream) ? `${stream} (${path})` : stream, fusion);
    }
    addCounts(dropped, result.counts.dropped);
    addCounts(anomalies, result.counts.anomalies);
    eventUs += durationUs(result.streams);
  }
  await sink.close();
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const { model, weights, digest } = request;
  return summariseRun(
    { model, weights, recordings: paths, predictions: digest.written, digest: digest.digest() },
    streams,
    { dropped, anomalies },
    eventUs,
    wallSeconds,
  );
}

async function replayOne(path: string, request: ReplayRequest): Promise<PipelineResult> {
  const { model, sink, order, latenessUs = 0, late, mode = "sparse" } = request;
  const { governing, tap, stop } = request;
  const recording = await openRecording(path);
  try {
    return await runPipeline({
      source: replaySource(recording, { order, inFlightMax }),
      model,
      // The sink goes on to the next recording.
      sink: { write: (predictions) => sink.write(predictions), close: async () => undefined },
      merge: (stream) => ({
        sensors: presentSensors(recording, stream, model, latenessUs),
        waitingMax,
      }),
      onMalformed: "fail",
      ...(late === undefined ? {} : { late }),
      mode,
      ...(governing === undefined ? {} : { governing }),
      ...(tap === undefined ? {} : { tap }),
      ...(stop === undefined ? {} : { stop }),
    });
  } finally {
    await recording.close();
  }
}

/** The graph's sensors that a stream of a recording has: nobody waits for one that is not there. */
function presentSensors(
  recording: Recording,
  stream: string,
  model: FusionModel,
  latenessUs: number,
): readonly MergedSensor[] {
  const recorded = new Set(
    recording.channels
      .filter((channel) => channel.stream === stream)
      .map((channel) => channel.sensor),
  );
  return model.graph.sensors
    .filter(({ spec }) => recorded.has(spec.name))
    .map(({ spec }) => ({ name: spec.name, latenessUs }));
}
