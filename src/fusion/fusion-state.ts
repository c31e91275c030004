import type { FloatArray, LayerState } from "../cells/kernels/kernel.ts";
import type { TimeUs } from "../sensors/time.ts";
import type { FusionGraph, Source } from "./fusion-graph.ts";
import { beginGovernedSession, type GovernorState } from "./governor/govern.ts";

/**
 * All that one stream has become: held features, c and h of every layer in one arena, and a few
 * numbers. `stepFusion` changes it in place; a checkpoint is a copy of it.
 */
export interface FusionState {
  readonly graph: FusionGraph;
  readonly arena: FloatArray;
  /** Last features of each sensor, views on the arena; an encoder writes them. */
  readonly features: readonly FloatArray[];
  readonly layers: readonly LayerState[];
  /** Head values; current after `readHead`. */
  readonly heads: readonly FloatArray[];
  /** 1 where a head's inputs changed since its value was computed. */
  readonly headStale: Uint8Array;
  /** Per softmax head with output on-change: the class last predicted, −1 before the first. */
  readonly lastClass: Int32Array;
  /**
   * Largest score of the tick's events by each head, NaN where it scored none; empty where no head
   * predicts a sensor.
   */
  readonly scores: Float64Array;
  readonly progress: StreamProgress;
  readonly work: WorkCounts;
  /** Undefined where compute has no budget. */
  readonly governor: GovernorState | undefined;
  /** Bits of the sensors that have news in the tick under way. */
  news: number;
}

/** Where a stream stands in event time. */
export interface StreamProgress {
  /** What phases are counted from; undefined until the first event or marker. */
  epochUs: TimeUs | undefined;
  ticks: number;
  /** Time of the last tick; undefined before the first. */
  timeUs: TimeUs | undefined;
  /** Per sensor: time of its last event, NaN before the first. */
  readonly sensorTimeUs: Float64Array;
  /** Per sensor: events taken in. */
  readonly sensorEvents: Float64Array;
}

/** Work done per layer, for the open fraction and the cost saved. */
export interface WorkCounts {
  /** Evaluations: how often gates were looked at. */
  readonly steps: Float64Array;
  /** Units computed: Σ of open units over the steps. */
  readonly unitUpdates: Float64Array;
}

/**
 * The state of a stream before its first event: all zero.
 *
 * @param governor the stream's state under a compute budget for the same graph
 */
export function createFusionState(graph: FusionGraph, governor?: GovernorState): FusionState {
  const arena = graph.kernel.allocate(graph.arenaLength);
  const predicts = graph.sensors.some(({ scorers }) => scorers.length > 0);
  return {
    graph,
    arena,
    features: graph.sensors.map(({ offset, size }) => arena.subarray(offset, offset + size)),
    layers: graph.layers.map(({ kernel, offset }) => kernel.bind(arena, offset)),
    heads: graph.heads.map(({ size }) =>
      arena instanceof Float32Array ? new Float32Array(size) : new Float64Array(size),
    ),
    headStale: new Uint8Array(graph.heads.length).fill(1),
    lastClass: new Int32Array(graph.heads.length).fill(-1),
    scores: new Float64Array(predicts ? graph.heads.length : 0).fill(Number.NaN),
    progress: {
      epochUs: undefined,
      ticks: 0,
      timeUs: undefined,
      sensorTimeUs: new Float64Array(graph.sensors.length).fill(Number.NaN),
      sensorEvents: new Float64Array(graph.sensors.length),
    },
    work: {
      steps: new Float64Array(graph.layers.length),
      unitUpdates: new Float64Array(graph.layers.length),
    },
    governor,
    news: 0,
  };
}

/** Gives a stream's memory back: neither the state nor a view on it may be used again. */
export function releaseFusionState({ graph, arena }: FusionState): void {
  graph.kernel.release(arena);
}

/** Forgets everything but the work counts and the governor's levels; begins again at `epochUs`. */
export function resetFusionState(state: FusionState, epochUs: TimeUs): void {
  state.arena.fill(0);
  state.headStale.fill(1);
  state.lastClass.fill(-1);
  state.news = 0;
  state.progress.epochUs = epochUs;
  state.progress.timeUs = undefined;
  state.progress.sensorTimeUs.fill(Number.NaN);
  if (state.governor !== undefined) beginGovernedSession(state.governor);
}

/** What a source holds now: a view, valid as long as the state. */
export function sourceView(state: FusionState, source: Source): FloatArray {
  return source.from === "sensor" ? state.features[source.index]! : state.layers[source.index]!.h;
}
