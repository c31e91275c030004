import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { addOpenPenalty } from "../network/open-penalty.ts";
import type { BatchResult, TrainableNetwork } from "../network/trainable-network.ts";
import { createOptimizer } from "../optimizers/create-optimizer.ts";
import { clipGradients } from "../optimizers/gradient-clipping.ts";
import { learningRateAt } from "../optimizers/learning-rate.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { WeightAverage } from "../optimizers/weight-average.ts";
import { type HeldOutSet, leakAt, type TrainTask } from "../tasks/train-task.ts";
import { trainingRandom } from "./training-seed.ts";

/** Means over sequences. */
export interface Measures {
  readonly sequences: number;
  readonly loss: number;
  /** Share of sequences whose class was right; 1 for a regression. */
  readonly accuracy: number;
  /** Evaluated unit-events / (H · events). */
  readonly openFraction: number;
}

/** One batch of a run. */
export interface TrainingStep extends Measures {
  /** From 0. */
  readonly batch: number;
  readonly rate: number;
  readonly gradientNorm: number;
}

/** A run between two batches: what a checkpoint holds. */
export interface TrainingState {
  readonly task: TrainTask;
  readonly seed: number;
  readonly network: TrainableNetwork;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage;
  /** Batches done. */
  batch: number;
}

export function createTraining(task: TrainTask, seed: number): TrainingState {
  const network = task.createNetwork(trainingRandom(seed, "weights", 0));
  return {
    task,
    seed,
    network,
    optimizer: createOptimizer(task.recipe.optimizer, network.groups),
    average: new WeightAverage(network.groups, task.recipe.averageDecay),
    batch: 0,
  };
}

/**
 * Trains on one more batch.
 *
 * @throws {PolyphaseError} FAILED if the loss or a gradient is not a number; no parameter has
 *   moved then
 */
export function trainBatch(state: TrainingState): TrainingStep {
  const { task, network, batch } = state;
  const { recipe } = task;
  const random = trainingRandom(state.seed, "batch", batch);
  const writer = network.startBatch();
  const progress = { batch, batches: recipe.batches };
  task.writeBatch(writer, random, progress);
  if (recipe.leak !== undefined) setLeak(network, leakAt(recipe.leak, progress));
  const result = network.trainBatch(writer.sequences);
  for (const layer of network.phasedLayers) addOpenPenalty(layer, recipe.openPenalty ?? 0);
  const gradientNorm = clipGradients(network.groups, recipe.clipping);
  if (!Number.isFinite(result.loss) || !Number.isFinite(gradientNorm)) {
    throw new PolyphaseError(
      "FAILED",
      `Cannot train on batch ${batch} of ${task.name}: loss and gradient must be finite, got loss ${result.loss}, gradient norm ${gradientNorm}`,
    );
  }
  const rate = learningRateAt(recipe.rate, batch, recipe.batches);
  state.optimizer.step(rate, batch);
  state.average.update(batch);
  state.batch = batch + 1;
  return { ...measuresOf([result]), batch, rate, gradientNorm };
}

/**
 * Measures the averaged weights on held-out sequences, always at α = 0 (spec D17).
 *
 * @param sequencesMax takes no further batch once there are so many
 */
export function measureHeldOut(
  state: TrainingState,
  set: HeldOutSet,
  sequencesMax: number = Number.POSITIVE_INFINITY,
): Measures {
  const { network, task } = state;
  const leak = network.phasedLayers[0]?.leak ?? 0;
  setLeak(network, 0);
  const measures = state.average.apply(() => {
    const results: BatchResult[] = [];
    for (let index = 0, sequences = 0; ; index++) {
      if (sequences >= sequencesMax) return measuresOf(results);
      const writer = network.startBatch();
      task.writeHeldOutBatch(writer, set, index);
      if (writer.sequences === 0) return measuresOf(results);
      sequences += writer.sequences;
      results.push(network.evaluateBatch(writer.sequences));
    }
  });
  setLeak(network, leak);
  return measures;
}

function setLeak(network: TrainableNetwork, leak: number): void {
  for (const layer of network.phasedLayers) layer.leak = leak;
}

function measuresOf(results: readonly BatchResult[]): Measures {
  const sum = (pick: (result: BatchResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  const sequences = sum((result) => result.sequences);
  return {
    sequences,
    loss: sum((result) => result.loss) / sequences,
    accuracy: sum((result) => result.correct) / sequences,
    openFraction: sum((result) => result.openUnits) / sum((result) => result.unitEvents),
  };
}
