import { negativeLogLikelihood } from "../cells/mixture-density.ts";
import type { FusionState } from "./fusion-state.ts";
import { readHead } from "./read-head.ts";

/**
 * How surprising an event is to the heads that predict its sensor: −ln p of its features, which are
 * written already, under what they said before it. A tick has the largest score of its events; the
 * first tick of a session has none.
 */
export function scoreEvent(state: FusionState, sensor: number): void {
  const { scorers } = state.graph.sensors[sensor]!;
  if (state.news === 0) state.scores.fill(Number.NaN);
  if (scorers.length === 0 || state.progress.timeUs === undefined) return;
  for (const head of scorers) {
    const { spec } = state.graph.heads[head]!;
    if (spec.type !== "mixture") continue;
    const mixture = readHead(state, head);
    const score = negativeLogLikelihood(mixture, spec.components, state.features[sensor]!);
    const before = state.scores[head]!;
    state.scores[head] = Number.isNaN(before) ? score : Math.max(before, score);
  }
}
