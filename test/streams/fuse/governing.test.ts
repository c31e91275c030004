import { describe, expect, it } from "vitest";
import { createGovernor } from "../../../src/fusion/governor/governor.ts";
import type { Prediction } from "../../../src/fusion/prediction.ts";
import { encodeCheckpoint } from "../../../src/state/checkpoint.ts";
import type { StreamGovernorDecision } from "../../../src/streams/fuse/governing.ts";
import { StreamFusion } from "../../../src/streams/fuse/stream-fusion.ts";
import type { MergedItem } from "../../../src/streams/merge/merged-item.ts";
import { decodeDecision, encodeDecision } from "../../../src/wire/decision-json.ts";
import { dvs } from "../items.ts";
import { testModel } from "../test-model.ts";

const model = testModel();
const governor = createGovernor(model.graph, {
  usPerSecond: 12,
  floors: new Map([
    ["e", 0.5],
    ["m", 0.125],
  ]),
});
/** Packets of two seconds, so that decisions fall in the middle of a run. */
const runs = [0, 1, 2].map((seq): MergedItem => {
  const times = Array.from({ length: 400 }, (_, i) => 2_000_000 * seq + 5_000 * i);
  const event = dvs("eye", times, seq);
  const range = { event, from: 0, to: times.length, priority: 1 };
  return { kind: "run", stream: "s", timeUs: times[0]!, range, finished: [] };
});

function outcome(
  items: readonly MergedItem[],
  source: "rule" | "recorded",
): {
  readonly predictions: readonly Prediction[];
  readonly decisions: readonly StreamGovernorDecision[];
  readonly checkpoint: string;
} {
  const predictions: Prediction[] = [];
  const decisions: StreamGovernorDecision[] = [];
  const fusion = new StreamFusion(model, "s", (some) => predictions.push(...some), "sparse", {
    governor,
    source,
    onDecision: (decision) => decisions.push(decision),
  });
  for (const item of items) fusion.apply(item, new Map());
  const checkpoint = Buffer.from(encodeCheckpoint(fusion.state, model, "s")).toString("hex");
  return { predictions, decisions, checkpoint };
}

describe("StreamFusion under a compute budget", () => {
  it("follows recorded decisions at their times, also inside a run, to the same bits", () => {
    const ruled = outcome(runs, "rule");
    expect(ruled.decisions.length).toBeGreaterThan(1);
    expect(ruled.decisions.every(({ timeUs }) => timeUs % 2_000_000 !== 0)).toBe(true);
    // A recorder writes a decision when it is told, before the run that it was made in.
    const recorded = runs.flatMap((run): readonly MergedItem[] => {
      const made = ruled.decisions.filter(({ timeUs }) => {
        return timeUs >= run.timeUs && timeUs < run.timeUs + 2_000_000;
      });
      const items = made.map((each): MergedItem => {
        const decision = decodeDecision(encodeDecision({ ...each }), "s");
        const { stream, timeUs } = decision;
        return { kind: "decision", stream, timeUs, decision, finished: [] };
      });
      return [...items, run];
    });
    expect(outcome(recorded, "recorded")).toEqual(ruled);
    // Decides for itself, and does not decide twice.
    expect(outcome(recorded, "rule")).toEqual(ruled);
  });
});
