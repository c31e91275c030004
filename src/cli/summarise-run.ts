import { gateCount } from "../cells/layer-parameters.ts";
import type { FusionModel } from "../fusion/fusion-model.ts";
import type { FusionState } from "../fusion/fusion-state.ts";
import type { GovernorState } from "../fusion/governor/govern.ts";
import { openScale } from "../fusion/governor/governor.ts";
import { stateHash } from "../state/checkpoint.ts";

/** Work of one layer over a run. */
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
  /** If a timing wheel found the open units of the layer at the end, in this thread. */
  readonly scheduling?: "wheel";
}

/** What a compute budget did. */
export interface GovernorSummary {
  readonly budgetUsPerSecond: number;
  readonly costFactor: number;
  /** Changes of a layer of a stream. */
  readonly decisions: number;
  /** Seconds of event time in which the budget was exceeded with all layers at their floors. */
  readonly overspentSeconds: number;
  /** By layer: share of its r_on that it has at the end; the least of all streams. */
  readonly openScale: Readonly<Record<string, number>>;
}

/** What `polyphase replay --json` and `polyphase run --json` print. */
export interface RunSummary {
  readonly model: { readonly name: string; readonly hash: string; readonly weights: string };
  readonly kernel: string;
  readonly encoders: Readonly<Record<string, string>>;
  /** None of a live run. */
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
  /** Absent without a compute budget. */
  readonly governor?: GovernorSummary;
  /** Of the NDJSON lines of all predictions, see NdjsonSink: sha256 of the lines, if of one stream. */
  readonly digest: string;
  /** sha256 of the final checkpoints of all streams. */
  readonly stateHash: string;
  /** Event time covered. */
  readonly eventSeconds: number;
  readonly wallSeconds: number;
  readonly realTimeFactor: number;
}

/** What streams have become. */
type States = ReadonlyMap<string, { readonly state: FusionState }>;

/** Adds `counts` to `sums`. */
export function addCounts(
  sums: Record<string, number>,
  counts: Readonly<Record<string, number>>,
): void {
  for (const [reason, count] of Object.entries(counts)) {
    sums[reason] = (sums[reason] ?? 0) + count;
  }
}

/** Longest stretch of event time of any stream. */
export function durationUs(streams: States): number {
  return Math.max(
    0,
    ...[...streams.values()].map(({ state }) => {
      return (state.progress.timeUs ?? 0) - (state.progress.epochUs ?? 0);
    }),
  );
}

/** What was run, and what it wrote. */
interface Run extends Pick<RunSummary, "recordings" | "predictions" | "digest"> {
  readonly model: FusionModel;
  /** Where the weights come from. */
  readonly weights: string;
}

/** Adds up the work of all streams of a run. */
export function summariseRun(
  { model, weights, recordings, predictions, digest }: Run,
  streams: States,
  counts: Pick<RunSummary, "dropped" | "anomalies">,
  eventUs: number,
  wallSeconds: number,
): RunSummary {
  const states = [...streams.values()].map(({ state }) => state);
  const sum = (of: (state: (typeof states)[number]) => number): number => {
    return states.reduce((total, state) => total + of(state), 0);
  };
  const ticks = sum((state) => state.progress.ticks);
  const layers = model.graph.layers.map(({ spec, parameters, index, kernel }): LayerWork => {
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
      ...(kernel.scheduling === "wheel" ? { scheduling: "wheel" } : {}),
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
    recordings,
    streams: streams.size,
    events: Object.values(eventsPerSensor).reduce((total, events) => total + events, 0),
    eventsPerSensor,
    ...counts,
    ticks,
    predictions,
    openFraction: lookedAt === 0 ? 0 : unitUpdates / lookedAt,
    unitUpdates,
    layers,
    ...summariseGovernors(states.flatMap(({ governor }) => governor ?? [])),
    digest,
    stateHash: stateHash(streams, model),
    eventSeconds: eventUs / 1e6,
    wallSeconds,
    realTimeFactor: eventUs / 1e6 / wallSeconds,
  };
}

/** What the governors of all streams did; nothing without any. */
export function summariseGovernors(states: readonly GovernorState[]): {
  readonly governor?: GovernorSummary;
} {
  const governor = states[0]?.governor;
  if (governor === undefined) return {};
  const sum = (of: (state: GovernorState) => number): number =>
    states.reduce((total, state) => total + of(state), 0);
  const openScales = governor.layers.map(({ name }, i) => {
    return [name, openScale(Math.max(...states.map(({ levels }) => levels[i]!)))] as const;
  });
  return {
    governor: {
      budgetUsPerSecond: governor.usPerSecond,
      costFactor: governor.costFactor,
      decisions: sum(({ progress }) => progress.decisions),
      overspentSeconds: sum(({ progress }) => progress.overspentWindows),
      openScale: Object.fromEntries(openScales),
    },
  };
}
