import { describe, expect, it } from "vitest";
import { createReferenceKernel } from "../../../src/cells/kernels/reference-kernel.ts";
import { createSparseKernel } from "../../../src/cells/kernels/sparse-kernel.ts";
import { createFusionModel } from "../../../src/fusion/fusion-model.ts";
import { createFusionState } from "../../../src/fusion/fusion-state.ts";
import { Random } from "../../../src/sensors/random.ts";
import { CapturedSequences } from "../../../src/train/evaluate/captured-sequences.ts";
import { streamReadings } from "../../../src/train/evaluate/stream-readings.ts";
import { createGraphNetwork } from "../../../src/train/graph/create-graph-network.ts";
import { exportGraph, importGraph } from "../../../src/train/graph/graph-weights.ts";
import { createOptimizer } from "../../../src/train/optimizers/create-optimizer.ts";
import { adamDefaults } from "../../../src/train/tasks/train-task.ts";
import {
  type SmallGraph,
  smallPlan,
  smallRecordings,
  smallSpec,
  writeSmall,
} from "./small-graph.ts";

const cases: readonly (SmallGraph & { op: "reference" | "typescript" | "wasm" })[] = [
  { branch: "own-event", merge: "phase", onSilence: "hold", op: "wasm" },
  { branch: "phase", merge: "square", onSilence: "zero", op: "wasm" },
  { branch: "phase", merge: "phase", onSilence: "hold", op: "typescript" },
  { branch: "always", merge: "aligned", onSilence: "hold", op: "reference" },
];

function logSoftmax(logits: Float64Array): Float64Array {
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return logits.map((logit) => logit - largest - Math.log(sum));
}

describe.each(cases)("exportGraph of a trained graph, %j", ({ op, ...small }) => {
  const spec = smallSpec(small);
  // The mean of log-probabilities is not the log-probability of mean logits: one tick is read.
  const plan = smallPlan(spec, { head: { readTicks: 1 }, plan: { op } });
  const network = createGraphNetwork(plan, new Random(4));
  const optimizer = createOptimizer(adamDefaults, network.groups);
  for (let step = 0; step < 15; step++) {
    writeSmall(network.beginBatch(), smallRecordings(spec, 100 + step));
    network.trainBatch(3);
    optimizer.step(0.01, step);
  }
  const stored = exportGraph(network, { task: "small" });
  const recordings = smallRecordings(spec, 9);
  const captured = new CapturedSequences(spec);
  writeSmall(captured, recordings);
  const sequences = captured.take();

  it.each([createReferenceKernel(), createSparseKernel()])(
    "gives the answers of both heads in the streaming graph to 1e-6 ($name)",
    (kernel) => {
      const { heads } = network.parts;
      writeSmall(network.beginBatch(), recordings);
      network.evaluateBatch(3);
      const model = createFusionModel(stored.spec, stored.weights, stored.hash, kernel);
      const state = createFusionState(model.graph);
      heads.forEach(({ outputs }, h) => {
        const streamed = sequences.flatMap((one) => streamReadings(model, state, one, h, 1));
        expect(streamed).toHaveLength(6);
        streamed.forEach(({ answer }, j) => {
          const trained = logSoftmax(outputs.subarray(3 * j, 3 * j + 3));
          answer.forEach((value, k) => {
            expect(Math.abs(Math.exp(value) - Math.exp(trained[k]!))).toBeLessThan(1e-6);
          });
        });
      });
    },
  );
});

describe("importGraph", () => {
  const spec = smallSpec(cases[0]!);
  it("takes over the parts of the same name, and they answer as they did", () => {
    const trained = createGraphNetwork(smallPlan(spec), new Random(4));
    const { weights } = exportGraph(trained, {});
    const fresh = createGraphNetwork(smallPlan(spec), new Random(5));
    expect(importGraph(fresh, weights)).toEqual([
      "ear-lstm",
      "eye-lstm",
      "merge-1",
      "merge-2",
      "word",
      "heard",
    ]);
    const [before, after] = [trained, fresh].map((network) => {
      writeSmall(network.beginBatch(), smallRecordings(spec, 9));
      return network.evaluateBatch(3).loss;
    });
    // Stored in float32.
    expect(after).toBeCloseTo(before!, 5);
  });
  it("refuses a part of the same name and other sizes, and a model without any, taking nothing", () => {
    const fresh = createGraphNetwork(smallPlan(spec), new Random(5));
    const before = fresh.groups.map(({ values }) => values.slice());
    const { weights } = exportGraph(createGraphNetwork(smallPlan(spec), new Random(4)), {});
    const narrow = new Map(weights).set("merge-2.bias", { shape: [8], data: new Float32Array(8) });
    expect(() => importGraph(fresh, narrow)).toThrow(
      "Cannot start from a model: merge-2.bias must have shape [12], got [8]",
    );
    expect(() => importGraph(fresh, new Map())).toThrow("the model must have one of ear-lstm");
    expect(fresh.groups.map(({ values }) => values)).toEqual(before);
  });
});
