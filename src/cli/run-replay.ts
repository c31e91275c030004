import { gateCount } from "../cells/layer-parameters.ts";
import type { FusionModel } from "../fusion/fusion-model.ts";
import type { StepMode } from "../fusion/step-fusion.ts";
import { stateHash } from "../state/checkpoint.ts";
import type { LatePolicy } from "../streams/fuse/late-policy.ts";
import type { StreamFusion } from "../streams/fuse/stream-fusion.ts";
import type { MergedSensor } from "../streams/merge/merge-options.ts";
import type { MergedItem } from "../streams/merge/merged-item.ts";
import type { NdjsonSink } from "../streams/ndjson/ndjson-sink.ts";
import { type PipelineResult, runPipeline } from "../streams/pipeline.ts";
import { openRecording, type Recording } from "../streams/replay/recording-reader.ts";
import { replaySource } from "../streams/replay/replay-source.ts";
import type { Sink } from "../streams/sink.ts";

/** Items a replay keeps waiting for slower sensors, and unacknowledged, at most. */
const waitingMax = 16_384;
const inFlightMax = 32_768;

/** Work of one layer over a replay. */
export interface LayerWork {
  readonly name: string;
  readonly units: number;
  /** How often the layer was evaluated. */
  readonly steps: number;
  readonly unitUpdates: number;
  /** unitUpdates / (units · steps); 0 for a layer whose sensors were silent */
  readonly openFraction: number;
  /** unitUpdates / units: the paper's "updates per neuron". */
  readonly updatesPerUnit: number;
  /** Multiply–accumulates done, and those of evaluating every unit at every tick. */
  readonly macs: number;
  readonly denseMacs: number;
}

/** What `polyphase replay --json` prints. */
export interface ReplaySummary {
  readonly model: { readonly name: string; readonly hash: string; readonly weights: string };
  readonly kernel: string;
  readonly encoders: Readonly<Record<string, string>>;
  readonly recordings: readonly string[];
  readonly streams: number;
  /** Sensor events fused; every event of a DVS packet counts. */
  readonly events: number;
  readonly eventsPerSensor: Readonly<Record<string, number>>;
  /** Events that did not reach the graph, and what else was out of the ordinary, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly anomalies: Readonly<Record<string, number>>;
  readonly ticks: number;
  readonly predictions: number;
  /** Σ open units / Σ units looked at, over all layers. */
  readonly openFraction: number;
  readonly unitUpdates: number;
  readonly layers: readonly LayerWork[];
  /** sha256 of the NDJSON lines of all predictions. */
  readonly digest: string;
  /** sha256 of the final checkpoints of all streams. */
  readonly stateHash: string;
  /** Event time covered. */
  readonly eventSeconds: number;
  readonly wallSeconds: number;
  readonly realTimeFactor: number;
}

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
  readonly tap?: (item: MergedItem) => void;
  readonly stop?: AbortSignal;
}

/** Replays recordings one after the other through one model. */
export async function runReplay(request: ReplayRequest): Promise<ReplaySummary> {
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
  return summarise(request, streams, { dropped, anomalies }, eventUs, wallSeconds);
}

function addCounts(sums: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(counts)) {
    sums[reason] = (sums[reason] ?? 0) + count;
  }
}

async function replayOne(path: string, request: ReplayRequest): Promise<PipelineResult> {
  const { model, sink, order, latenessUs = 0, late, mode = "sparse", tap, stop } = request;
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

/** Longest stretch of event time of any stream. */
function durationUs(streams: ReadonlyMap<string, StreamFusion>): number {
  return Math.max(
    0,
    ...[...streams.values()].map(({ state }) => {
      return (state.progress.timeUs ?? 0) - (state.progress.epochUs ?? 0);
    }),
  );
}

function summarise(
  { model, weights, paths, digest }: ReplayRequest,
  streams: ReadonlyMap<string, StreamFusion>,
  counts: Pick<ReplaySummary, "dropped" | "anomalies">,
  eventUs: number,
  wallSeconds: number,
): ReplaySummary {
  const states = [...streams.values()].map(({ state }) => state);
  const sum = (of: (state: (typeof states)[number]) => number): number => {
    return states.reduce((total, state) => total + of(state), 0);
  };
  const ticks = sum((state) => state.progress.ticks);
  const layers = model.graph.layers.map(({ spec, parameters, index }): LayerWork => {
    const steps = sum((state) => state.work.steps[index]!);
    const unitUpdates = sum((state) => state.work.unitUpdates[index]!);
    const rowMacs = gateCount(spec.cell) * (parameters.inputs + spec.units);
    return {
      name: spec.name,
      units: spec.units,
      steps,
      unitUpdates,
      openFraction: steps === 0 ? 0 : unitUpdates / (spec.units * steps),
      updatesPerUnit: unitUpdates / spec.units,
      macs: unitUpdates * rowMacs,
      denseMacs: Math.max(ticks, steps) * spec.units * rowMacs,
    };
  });
  const unitUpdates = layers.reduce((total, layer) => total + layer.unitUpdates, 0);
  const lookedAt = layers.reduce((total, layer) => total + layer.units * layer.steps, 0);
  const sensors = model.graph.sensors;
  const eventsPerSensor = Object.fromEntries(
    sensors.map(({ spec, index }) => [spec.name, sum((s) => s.progress.sensorEvents[index]!)]),
  );
  return {
    model: { name: model.graph.spec.name, hash: model.hash, weights },
    kernel: model.graph.kernel.name,
    encoders: Object.fromEntries(
      sensors.map(({ spec, index }) => [spec.name, model.encoders[index]!.name]),
    ),
    recordings: paths,
    streams: streams.size,
    events: Object.values(eventsPerSensor).reduce((total, events) => total + events, 0),
    eventsPerSensor,
    ...counts,
    ticks,
    predictions: digest.written,
    openFraction: lookedAt === 0 ? 0 : unitUpdates / lookedAt,
    unitUpdates,
    layers,
    digest: digest.digest(),
    stateHash: stateHash(streams, model),
    eventSeconds: eventUs / 1e6,
    wallSeconds,
    realTimeFactor: eventUs / 1e6 / wallSeconds,
  };
}
