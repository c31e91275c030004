import type { FusionModel } from "../fusion/fusion-model.ts";
import type { SensorSpec } from "../fusion/spec/graph-spec.ts";
import type { TimeUs } from "../sensors/time.ts";
import type { VideoCropper } from "../sensors/video/video-cropper.ts";
import type { ClockMode } from "../streams/clock/clock-model.ts";
import type { Governing } from "../streams/fuse/governing.ts";
import type { LatePolicy } from "../streams/fuse/late-policy.ts";
import type { NdjsonSink } from "../streams/ndjson/ndjson-sink.ts";
import { runPipeline } from "../streams/pipeline.ts";
import type { Recorder } from "../streams/record/recorder.ts";
import type { Sink } from "../streams/sink.ts";
import type { Source } from "../streams/source.ts";
import type { EventCounts } from "../telemetry/event-counts.ts";
import type { WireChannel } from "../wire/wire-channel.ts";
import { durationUs, type RunSummary, summariseRun } from "./summarise-run.ts";

/** Items that wait for slower sensors at most, per stream. */
const waitingMax = 16_384;

export interface LiveRequest {
  readonly source: Source;
  readonly model: FusionModel;
  /** Where the weights come from, for the summary. */
  readonly weights: string;
  readonly sink: Sink;
  /** Keeps the digest of what the sink got. */
  readonly digest: NdjsonSink;
  readonly counts: EventCounts;
  readonly latenessUs: number;
  readonly late: LatePolicy;
  readonly clock: ClockMode;
  /** Processing time without progress after which a sensor is not waited for; 0: always waited for. */
  readonly idleUs: number;
  /** Compute that each stream may take. Default: no limit. */
  readonly governing?: Governing;
  /** What cuts whole pictures of cameras, by sensor. Default: they come as the model takes them. */
  readonly croppers?: ReadonlyMap<string, VideoCropper>;
  /** Records what enters the graph. The caller closes it. */
  readonly recorder?: Recorder;
  readonly stop: AbortSignal;
}

/** Runs a model on a source that has no end, until `stop` is raised and all in flight is written. */
export async function runLive(request: LiveRequest): Promise<RunSummary> {
  const { source, model, sink, counts, latenessUs, late, clock, idleUs, stop, recorder } = request;
  const { governing, croppers } = request;
  const names = model.graph.sensors.map(({ spec }) => spec.name);
  const startedAt = performance.now();
  const { streams } = await runPipeline({
    source,
    model,
    sink,
    merge: () => ({ sensors: names.map((name) => ({ name, latenessUs })), waitingMax }),
    onMalformed: "drop",
    clocks: {
      mode: () => clock,
      ...(recorder === undefined ? {} : { onMap: recorder.addClockMap }),
    },
    ...(recorder === undefined ? {} : { recorder }),
    ...(idleUs > 0 ? { idle: { sensors: () => names.map((name) => ({ name, idleUs })) } } : {}),
    late,
    ...(governing === undefined ? {} : { governing }),
    ...(croppers === undefined ? {} : { croppers }),
    stop,
    counts,
  });
  const { weights, digest } = request;
  return summariseRun(
    { model, weights, recordings: [], predictions: digest.written, digest: digest.digest() },
    streams,
    { dropped: counts.dropped, anomalies: counts.anomalies },
    durationUs(streams),
    (performance.now() - startedAt) / 1000,
  );
}

/**
 * What messages of the graph's sensors must be like, by the name of the sensor.
 *
 * @param cropped video sensors whose pictures may have any size, for they will be cut
 */
export function sensorChannels(
  model: FusionModel,
  cropped: ReadonlyMap<string, unknown> = new Map(),
): (stream: string, sensor: string) => WireChannel {
  const sensors = model.graph.sensors.filter(({ spec }) => !cropped.has(spec.name));
  const shapes = new Map(sensors.map(({ spec }) => [spec.name, shapeOf(spec)]));
  return (stream, sensor) => ({ stream, sensor, ...shapes.get(sensor) });
}

function shapeOf(spec: SensorSpec): Omit<WireChannel, "stream" | "sensor"> {
  if (spec.kind === "video" || spec.kind === "dvs") {
    return { width: spec.width, height: spec.height };
  }
  return { size: spec.size, ...(spec.kind === "audio" ? { convention: spec.convention } : {}) };
}

/** Microseconds of the system's clock: its milliseconds, and the fraction since the process began. */
export function systemTimeUs(): TimeUs {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}
