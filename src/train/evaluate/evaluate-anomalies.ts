import type { FusionModel } from "../../fusion/fusion-model.ts";
import {
  createFusionState,
  releaseFusionState,
  resetFusionState,
} from "../../fusion/fusion-state.ts";
import { applyEvent, finishTick } from "../../fusion/step-fusion.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";

/** An event of which is known whether it belongs where it is. */
export interface JudgedEvent {
  readonly timeUs: TimeUs;
  readonly values: Float32Array;
  readonly isAnomaly: boolean;
}

/** How well a model's scores tell anomalies from the rest. */
export interface AnomalyEvaluation {
  /** Events with a score, and anomalies among them. */
  readonly n: number;
  readonly anomalies: number;
  /** Probability that an anomaly has a higher score than another event. */
  readonly areaUnderCurve: number;
  /** The same of a score without a model: the distance to the event before. */
  readonly distanceAreaUnderCurve: number;
  /** Mean scores, −ln p. */
  readonly meanScore: number;
  readonly meanAnomalyScore: number;
}

/**
 * Scores recordings of a model's first sensor event by event in the streaming graph, each from a
 * zero state and with time counted from 0.
 *
 * @throws {PolyphaseError} BAD_MODEL if no head predicts the sensor
 */
export function evaluateAnomalies(
  model: FusionModel,
  recordings: Iterable<readonly JudgedEvent[]>,
): AnomalyEvaluation {
  const [sensor] = model.graph.sensors;
  const head = sensor!.scorers[0];
  const encoder = model.encoders[0]!;
  if (head === undefined || encoder.mode !== "direct") {
    throw new PolyphaseError(
      "BAD_MODEL",
      `Cannot look for anomalies: a head of the model must predict ${sensor!.spec.name}`,
    );
  }
  const state = createFusionState(model.graph);
  const judged: Judged[] = [];
  const stream = "evaluation";
  for (const recording of recordings) {
    resetFusionState(state, 0);
    recording.forEach(({ timeUs, values, isAnomaly }, seq) => {
      const event = {
        kind: "scalar",
        stream,
        sensor: sensor!.spec.name,
        timeUs,
        seq,
        values,
      } as const;
      encoder.validate(event);
      encoder.encode(state.features[0]!, event, 0);
      applyEvent(state, 0, timeUs);
      finishTick(state, timeUs);
      if (seq === 0) return;
      const distance = distanceOf(values, recording[seq - 1]!.values);
      judged.push({ isAnomaly, score: state.scores[head]!, distance });
    });
  }
  releaseFusionState(state);
  const anomalies = judged.filter(({ isAnomaly }) => isAnomaly);
  const normal = judged.filter(({ isAnomaly }) => !isAnomaly);
  return {
    n: judged.length,
    anomalies: anomalies.length,
    areaUnderCurve: areaUnderCurve(judged.map(({ isAnomaly, score }) => [score, isAnomaly])),
    distanceAreaUnderCurve: areaUnderCurve(
      judged.map(({ isAnomaly, distance }) => [distance, isAnomaly]),
    ),
    meanScore: meanScoreOf(normal),
    meanAnomalyScore: meanScoreOf(anomalies),
  };
}

interface Judged {
  readonly isAnomaly: boolean;
  readonly score: number;
  readonly distance: number;
}

function distanceOf(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, d) => value - b[d]!));
}

function meanScoreOf(events: readonly Judged[]): number {
  return events.reduce((sum, { score }) => sum + score, 0) / events.length;
}

/**
 * Area under the receiver operating characteristic, by ranks (Mann & Whitney 1947); equal scores
 * count half.
 */
export function areaUnderCurve(
  scores: readonly (readonly [score: number, positive: boolean])[],
): number {
  const sorted = [...scores].sort(([a], [b]) => a - b);
  let rankSum = 0;
  let positives = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    let tied = 0;
    for (; to < sorted.length && sorted[to]![0] === sorted[from]![0]; to++) {
      if (sorted[to]![1]) tied += 1;
    }
    rankSum += (tied * (from + 1 + to)) / 2;
    positives += tied;
    from = to;
  }
  const negatives = sorted.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
