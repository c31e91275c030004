import { describe, expect, it } from "vitest";
import { createSparseKernel } from "../../../src/cells/kernels/sparse-kernel.ts";
import { createFusionModel } from "../../../src/fusion/fusion-model.ts";
import { Random } from "../../../src/sensors/random.ts";
import {
  areaUnderCurve,
  evaluateAnomalies,
} from "../../../src/train/evaluate/evaluate-anomalies.ts";
import { exportGraph } from "../../../src/train/graph/graph-weights.ts";
import { penDefaults, penTask } from "../../../src/train/tasks/pen.ts";
import { drawPen } from "../../../src/train/tasks/pen-stroke.ts";
import { createTraining, trainBatch } from "../../../src/train/trainer/train-network.ts";

describe("areaUnderCurve", () => {
  it("is the share of pairs in which the positive is higher, ties half", () => {
    expect(
      areaUnderCurve([
        [1, false],
        [2, true],
        [3, false],
        [4, true],
      ]),
    ).toBe(0.75);
    expect(
      areaUnderCurve([
        [1, false],
        [1, true],
        [0, false],
        [1, true],
      ]),
    ).toBe(0.75);
  });
});

describe("evaluateAnomalies of a model trained on a pen", () => {
  it("tells glitches from what the pen does, better than the distance to the last event", () => {
    const state = createTraining(
      penTask({ ...penDefaults, batches: 100, rate: 2e-2, units: 16 }),
      1,
    );
    for (let batch = 0; batch < 100; batch++) trainBatch(state);
    const { spec, weights, hash } = exportGraph(state.network, {});
    const model = createFusionModel(spec, weights, hash, createSparseKernel());
    const strokes = Array.from({ length: 24 }, (_, index) => drawPen(new Random(index), 0.02));
    const evaluation = evaluateAnomalies(model, strokes);
    expect(evaluation.n).toBe(24 * 199);
    expect(evaluation.anomalies).toBe(
      strokes.flatMap((stroke) => stroke.slice(1)).filter(({ isAnomaly }) => isAnomaly).length,
    );
    expect(evaluation.areaUnderCurve).toBeGreaterThan(evaluation.distanceAreaUnderCurve + 0.02);
    expect(evaluation.meanAnomalyScore).toBeGreaterThan(evaluation.meanScore + 1);
  });
});
