import { describe, expect, it } from "vitest";
import { createReferenceKernel } from "../../../src/cells/kernels/reference-kernel.ts";
import { createFusionModel } from "../../../src/fusion/fusion-model.ts";
import { createFusionState, resetFusionState } from "../../../src/fusion/fusion-state.ts";
import { readPredictions } from "../../../src/fusion/read-predictions.ts";
import { parseGraphSpec } from "../../../src/fusion/spec/parse-graph-spec.ts";
import { applyEvent, finishTick } from "../../../src/fusion/step-fusion.ts";
import { Random } from "../../../src/sensors/random.ts";
import { createGraphNetwork } from "../../../src/train/graph/create-graph-network.ts";
import { exportGraph } from "../../../src/train/graph/graph-weights.ts";
import { smallPlan, smallRecordings, smallSpec, writeSmall } from "./small-graph.ts";

const base = smallSpec({ branch: "own-event", merge: "phase", onSilence: "hold" });
const mixture = { type: "mixture", output: "every-tick", components: 2 };
const next = { ...mixture, name: "next-seen", inputs: ["merge-2"], dimensions: 3, predicts: "eye" };
const heard = { ...mixture, name: "next-heard", inputs: ["ear-lstm", "merge-2"], dimensions: 2 };
const withHeads = (...heads: object[]): ReturnType<typeof smallSpec> =>
  parseGraphSpec({ ...base, heads });
const spec = withHeads(next, { ...heard, predicts: "ear" });

describe("GraphNetwork with heads that predict sensors", () => {
  it("has the gradients of the mean surprise by every parameter, to 1e-5", () => {
    const network = createGraphNetwork(smallPlan(spec), new Random(4));
    writeSmall(network.beginBatch(), smallRecordings(spec, 9));
    const { sequences } = network.trainBatch(3);
    expect(sequences).toBeGreaterThan(30);
    for (const { name, values, gradient } of network.groups) {
      const step = 1e-6;
      let worst = 0;
      let largest = 1e-9;
      for (let m = 0; m < values.length; m++) {
        const value = values[m]!;
        values[m] = value + step;
        const above = network.evaluateBatch(3).loss / sequences;
        values[m] = value - step;
        const below = network.evaluateBatch(3).loss / sequences;
        values[m] = value;
        worst = Math.max(worst, Math.abs((above - below) / (2 * step) - gradient[m]!));
        largest = Math.max(largest, Math.abs(gradient[m]!));
      }
      expect(worst / largest, name).toBeLessThan(1e-5);
    }
  });
  it("finds the surprise that the streaming graph gives as the events' scores, to 1e-6", () => {
    const seen = withHeads(next);
    const network = createGraphNetwork(smallPlan(seen), new Random(4));
    const recordings = smallRecordings(seen, 9);
    writeSmall(network.beginBatch(), recordings);
    const trained = network.evaluateBatch(3);
    const { spec: graph, weights, hash } = exportGraph(network, {});
    const model = createFusionModel(graph, weights, hash, createReferenceKernel());
    const state = createFusionState(model.graph);
    const scores: number[] = [];
    for (const recording of recordings) {
      resetFusionState(state, 0);
      recording.forEach(({ sensor, timeUs, values }, i) => {
        const event = { kind: "scalar", stream: "s", sensor: "", timeUs, seq: i, values } as const;
        const encoder = model.encoders[sensor]!;
        if (encoder.mode === "direct") encoder.encode(state.features[sensor]!, event, 0);
        applyEvent(state, sensor, timeUs);
        if (recording[i + 1]?.timeUs === timeUs) return;
        finishTick(state, timeUs);
        const [said] = readPredictions(state, "s", "tick", timeUs);
        if (said!.score !== undefined) scores.push(said!.score);
        // Whoever asks at another time than a tick's is told no score of long ago.
        expect(state.scores[0]! >= 0 || state.scores[0]! < 0).toBe(said!.score !== undefined);
      });
    }
    expect(scores).toHaveLength(trained.sequences);
    const sum = scores.reduce((total, score) => total + score, 0);
    // Weights are stored in float32.
    expect(Math.abs(sum - trained.loss) / trained.sequences).toBeLessThan(1e-6);
  });
  it("refuses to be trained together with other heads", () => {
    const mixed = withHeads(base.heads[0]!, next);
    expect(() => createGraphNetwork(smallPlan(mixed), new Random(1))).toThrow(
      "heads that predict a sensor must be the only ones",
    );
  });
});

describe("parseGraphSpec of a head that predicts", () => {
  it.each([
    [{ predicts: "nose" }, 'heads[0].predicts must be a sensor (ear, eye), got "nose"'],
    [{ predicts: "ear" }, "heads[0].dimensions must be those of ear, 2, got 3"],
    [{ output: "last" }, "heads[0].output must be every-tick where events are scored, got last"],
    [{ inputs: ["merge-2", "eye"] }, "heads[0].inputs must be layers where events are scored"],
  ])("refuses %j", (change, message) => {
    expect(() => withHeads({ ...next, ...change })).toThrow(message);
  });
});
