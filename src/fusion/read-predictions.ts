import type { FloatArray } from "../cells/kernels/kernel.ts";
import type { TimeUs } from "../sensors/time.ts";
import type { FusionState } from "./fusion-state.ts";
import type { Prediction } from "./prediction.ts";
import { readHead } from "./read-head.ts";
import type { OutputRole } from "./spec/graph-spec.ts";

/** What just happened to a stream. */
export type OutputCue = "tick" | "segment-end" | "session-end";

const rolesOfCue: Readonly<Record<OutputCue, readonly OutputRole[]>> = {
  tick: ["every-tick", "on-change"],
  "segment-end": ["per-segment"],
  "session-end": ["last"],
};

/** Most ticks have no prediction: they need no memory. */
const none: readonly Prediction[] = [];

/**
 * The predictions that a cue calls for, head by head. A stream that has seen no event has none.
 *
 * @param timeUs time of the tick, or of the marker that ended a segment or session
 */
export function readPredictions(
  state: FusionState,
  stream: string,
  cue: OutputCue,
  timeUs: TimeUs,
): readonly Prediction[] {
  if (state.progress.timeUs === undefined) return none;
  let predictions = none;
  for (const { spec, index } of state.graph.heads) {
    if (!rolesOfCue[cue].includes(spec.output)) continue;
    const held = state.headStale[index] === 0;
    // What is on-change cannot change while its inputs are held.
    if (spec.output === "on-change" && held) continue;
    const values = readHead(state, index);
    const top = spec.type === "softmax" ? indexOfLargest(values) : -1;
    if (spec.output === "on-change") {
      if (state.lastClass[index] === top) continue;
      state.lastClass[index] = top;
    }
    const prediction = predictionOf(state, stream, index, { values, top, held, timeUs });
    predictions = [...predictions, prediction];
  }
  return predictions;
}

/** Index of the largest value; the first of equals. */
export function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** `Array.from` goes by the iterator protocol and takes several times as long. */
function copyOf(values: FloatArray): readonly number[] {
  const copy = new Array<number>(values.length);
  for (let i = 0; i < values.length; i++) copy[i] = values[i]!;
  return copy;
}

/** Written out for each kind of head, so that all predictions of one have one shape. */
function predictionOf(
  state: FusionState,
  stream: string,
  index: number,
  said: {
    readonly values: FloatArray;
    readonly top: number;
    readonly held: boolean;
    readonly timeUs: TimeUs;
  },
): Prediction {
  const { spec } = state.graph.heads[index]!;
  const { name: head, output: role } = spec;
  const { top, held, timeUs } = said;
  const tick = state.progress.ticks;
  const values = copyOf(said.values);
  const ageUs = ages(state, timeUs);
  if (spec.type === "softmax") {
    const label = spec.labels[top]!;
    return { stream, head, role, timeUs, tick, held, label, values, ageUs };
  }
  const score = state.scores.length === 0 ? Number.NaN : state.scores[index]!;
  if (Number.isNaN(score)) return { stream, head, role, timeUs, tick, held, values, ageUs };
  return { stream, head, role, timeUs, tick, held, values, score, ageUs };
}

function ages(state: FusionState, timeUs: TimeUs): Readonly<Record<string, number>> {
  const ageUs: Record<string, number> = {};
  for (const { spec, index } of state.graph.sensors) {
    const age = timeUs - state.progress.sensorTimeUs[index]!;
    if (!Number.isNaN(age)) ageUs[spec.name] = age;
  }
  return ageUs;
}
