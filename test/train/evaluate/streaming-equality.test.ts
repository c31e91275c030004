import { describe, expect, it } from "vitest";
import { createReferenceKernel } from "../../../src/cells/kernels/reference-kernel.ts";
import { createSparseKernel } from "../../../src/cells/kernels/sparse-kernel.ts";
import { createFusionModel } from "../../../src/fusion/fusion-model.ts";
import { createFusionState } from "../../../src/fusion/fusion-state.ts";
import { CapturedSequences } from "../../../src/train/evaluate/captured-sequences.ts";
import { evaluateModel, wilsonInterval } from "../../../src/train/evaluate/evaluate-model.ts";
import { streamSequence } from "../../../src/train/evaluate/stream-sequence.ts";
import { exportModel } from "../../../src/train/export-model.ts";
import { BatchWriter } from "../../../src/train/network/batch-writer.ts";
import { addingDefaults, addingTask } from "../../../src/train/tasks/adding.ts";
import { frequencyDefaults, frequencyTask } from "../../../src/train/tasks/frequency.ts";
import type { TrainTask } from "../../../src/train/tasks/train-task.ts";
import { createTraining, trainBatch } from "../../../src/train/trainer/train-network.ts";

const frequency = { ...frequencyDefaults, units: 30, batches: 40 };
const tasks: readonly [string, TrainTask][] = [
  ["a Phased LSTM", frequencyTask(frequency)],
  ["square gates", frequencyTask({ ...frequency, cell: "square-lstm" })],
  ["a plain LSTM", frequencyTask({ ...frequency, cell: "lstm", units: 8 })],
  ["a regression over 500 steps", addingTask({ ...addingDefaults, units: 30, batches: 10 })],
];

describe.each(tasks)("exportModel of %s", (_, task) => {
  const training = createTraining(task, 1);
  for (let i = 0; i < task.recipe.batches; i++) trainBatch(training);
  const stored = exportModel(training.network, {
    name: task.name,
    sensor: task.sensor,
    head: task.head,
    labels: task.labels,
    provenance: {},
  });
  const captured = new CapturedSequences(stored.spec);
  task.writeHeldOutBatch(captured, "test", 0);
  const sequences = captured.take();
  const writer = new BatchWriter(training.network);
  task.writeHeldOutBatch(writer, "test", 0);
  training.network.evaluateBatch(writer.sequences);
  const size = training.network.readout.outputs;

  it.each([createReferenceKernel(), createSparseKernel()])(
    "gives the training graph's outputs in the streaming graph to 1e-6 ($name)",
    (kernel) => {
      const model = createFusionModel(stored.spec, stored.weights, stored.hash, kernel);
      const state = createFusionState(model.graph);
      sequences.forEach((sequence, b) => {
        const streamed = streamSequence(model, state, sequence, 0);
        const trained = training.network.outputs.subarray(b * size, (b + 1) * size);
        const expected = task.labels === undefined ? trained : logSoftmax(trained);
        streamed.forEach((value, k) => {
          expect(Math.abs(Math.exp(value) - Math.exp(expected[k]!))).toBeLessThan(1e-6);
        });
      });
    },
  );
});

function logSoftmax(logits: Float64Array): Float64Array {
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return logits.map((logit) => logit - largest - Math.log(sum));
}

describe("evaluateModel", () => {
  it("reports accuracy, confusion, open fraction and updates that belong together", () => {
    const task = frequencyTask(frequency);
    const training = createTraining(task, 1);
    const stored = exportModel(training.network, {
      name: "frequency",
      sensor: task.sensor,
      head: task.head,
      labels: task.labels,
      provenance: {},
    });
    const captured = new CapturedSequences(stored.spec);
    task.writeHeldOutBatch(captured, "test", 0);
    const kernel = createSparseKernel();
    const model = createFusionModel(stored.spec, stored.weights, stored.hash, kernel);
    const evaluation = evaluateModel(model, captured.take(), { share: 0, ticks: 1 });
    const { confusion, accuracy, n, events } = evaluation;
    expect(n).toBe(32);
    expect(confusion!.flat().reduce((sum, count) => sum + count, 0)).toBe(32);
    expect(accuracy).toBe((confusion![0]![0]! + confusion![1]![1]!) / 32);
    expect(evaluation.openFraction["signal-lstm"]).toBeCloseTo(0.05, 2);
    expect(evaluation.updatesPerNeuron["signal-lstm"]! * 32).toBeCloseTo(
      evaluation.openFraction["signal-lstm"]! * events,
      6,
    );
  });
});

describe("wilsonInterval", () => {
  it("gives the published interval of 81 of 263", () => {
    // Newcombe, Statistics in Medicine 17 (1998), table I: 0.2553 to 0.3662.
    const [low, high] = wilsonInterval(81, 263);
    expect(low).toBeCloseTo(0.2553, 4);
    expect(high).toBeCloseTo(0.3662, 4);
  });

  it("ends at 0 and 1 where nothing and everything is right", () => {
    for (let n = 1; n <= 1000; n++) {
      expect(wilsonInterval(0, n)[0]).toBe(0);
      expect(wilsonInterval(n, n)[1]).toBe(1);
    }
  });
});
