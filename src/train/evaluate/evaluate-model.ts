import type { FusionModel } from "../../fusion/fusion-model.ts";
import {
  createFusionState,
  type FusionState,
  releaseFusionState,
} from "../../fusion/fusion-state.ts";
import type { GovernorState } from "../../fusion/governor/govern.ts";
import { indexOfLargest } from "../../fusion/read-predictions.ts";
import type { LabelledSequence } from "./captured-sequences.ts";
import { type StreamedReading, streamReadings } from "./stream-readings.ts";
import { streamSequence } from "./stream-sequence.ts";

/** What `polyphase eval` measures. */
export interface Evaluation {
  /** Answers: one for each sequence, or several. */
  readonly n: number;
  readonly events: number;
  /** Share of right classes; absent for a regression, as are the next two. */
  readonly accuracy?: number;
  /** Wilson's 95 % interval of the accuracy. */
  readonly confidenceInterval?: readonly [low: number, high: number];
  /** Row: true class, column: answer. */
  readonly confusion?: readonly (readonly number[])[];
  /** Mean squared error of a regression. */
  readonly meanSquaredError?: number;
  /** Computed unit-events / (H · events) of each layer. */
  readonly openFraction: Readonly<Record<string, number>>;
  /** Updates of a unit per sequence, mean over units and sequences. */
  readonly updatesPerNeuron: Readonly<Record<string, number>>;
}

/** What an answer is a mean over. */
export interface ReadWindow {
  /** Share of the events of a sequence, the last ones, where it is asked at its end; 0 for the last. */
  readonly share: number;
  /** Ticks of a head, the last ones, where it is asked on the way. */
  readonly ticks: number;
}

/**
 * Runs labelled sequences through the streaming graph, one after the other as one stream, and
 * compares its answers: those at the end, or those on the way where a sequence asks for any.
 *
 * @param governor the stream's state under a compute budget; none by default
 */
export function evaluateModel(
  model: FusionModel,
  sequences: Iterable<LabelledSequence>,
  reading: ReadWindow,
  governor?: GovernorState,
): Evaluation {
  const state = createFusionState(model.graph, governor);
  const head = model.graph.heads[0]!.spec;
  const labels = head.type === "softmax" ? head.labels : [];
  const confusion = labels.map(() => new Array<number>(labels.length).fill(0));
  let n = 0;
  let right = 0;
  let squares = 0;
  for (const sequence of sequences) {
    for (const { target, answer } of answersOf(model, state, sequence, reading)) {
      n += 1;
      squares += (answer[0]! - target) ** 2;
      if (head.type !== "softmax") continue;
      const chosen = indexOfLargest(answer);
      confusion[target]![chosen]! += 1;
      if (chosen === target) right += 1;
    }
  }
  const events = state.progress.sensorEvents.reduce((sum, count) => sum + count, 0);
  const work = workPerLayer(state, n);
  releaseFusionState(state);
  if (head.type !== "softmax") return { n, events, meanSquaredError: squares / n, ...work };
  return {
    n,
    events,
    accuracy: right / n,
    confidenceInterval: wilsonInterval(right, n),
    confusion,
    ...work,
  };
}

function answersOf(
  model: FusionModel,
  state: FusionState,
  sequence: LabelledSequence,
  { share, ticks }: ReadWindow,
): StreamedReading[] {
  if (sequence.readings.length > 0) return streamReadings(model, state, sequence, 0, ticks);
  const answer = streamSequence(model, state, sequence, share);
  return [{ target: sequence.target, answer }];
}

function workPerLayer(
  state: FusionState,
  sequences: number,
): Pick<Evaluation, "openFraction" | "updatesPerNeuron"> {
  const openFraction: Record<string, number> = {};
  const updatesPerNeuron: Record<string, number> = {};
  for (const { spec, index } of state.graph.layers) {
    const updates = state.work.unitUpdates[index]! / spec.units;
    openFraction[spec.name] = updates / state.work.steps[index]!;
    updatesPerNeuron[spec.name] = updates / sequences;
  }
  return { openFraction, updatesPerNeuron };
}

/** Score interval of a share at 95 % (Wilson 1927); holds the share, rounded or not. */
export function wilsonInterval(right: number, n: number): readonly [number, number] {
  const z = 1.959964;
  const share = right / n;
  const centre = share + (z * z) / (2 * n);
  const half = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  // At 0 and 1 an end of the interval is the share itself, from which rounding leads away.
  const low = right === 0 ? 0 : (centre - half) / scale;
  const high = right === n ? 1 : (centre + half) / scale;
  return [low, high];
}
