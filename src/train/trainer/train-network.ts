import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { addOpenPenalty } from "../network/open-penalty.ts";
import type { BatchResult, SequenceNetwork } from "../network/sequence-network.ts";
import type { TrainableNetwork } from "../network/trainable-network.ts";
import { createOptimizer } from "../optimizers/create-optimizer.ts";
import { clipGradients } from "../optimizers/gradient-clipping.ts";
import { learningRateAt } from "../optimizers/learning-rate.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { WeightAverage } from "../optimizers/weight-average.ts";
import { type HeldOutSet, leakAt, type TrainTask } from "../tasks/train-task.ts";
import { BatchFeed, windowAt, writeHeldOut } from "./batch-feed.ts";
import { BatchTape, playTape } from "./batch-tape.ts";
import {
  createShardMemory,
  publishParameters,
  runShard,
  type ShardJob,
  type ShardMemory,
  sumShards,
} from "./parallel/gradient-shards.ts";
import type { TrainingThreads } from "./parallel/training-threads.ts";
import { trainingRandom } from "./training-seed.ts";

/** Means over sequences, or over answers where a sequence has several. */
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
export interface TrainingState<N extends TrainableNetwork = SequenceNetwork> {
  readonly task: TrainTask<N>;
  readonly seed: number;
  readonly network: N;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage;
  readonly feed: BatchFeed;
  /** Absent where a batch is one part. */
  readonly shards: ShardMemory | undefined;
  /** Batches done. */
  batch: number;
}

export function createTraining<N extends TrainableNetwork>(
  task: TrainTask<N>,
  seed: number,
): TrainingState<N> {
  const network = task.createNetwork(trainingRandom(seed, "weights", 0));
  const { recipe } = task;
  return {
    task,
    seed,
    network,
    optimizer: createOptimizer(recipe.optimizer, network.groups),
    average: new WeightAverage(network.groups, recipe.averageDecay),
    feed: new BatchFeed(task, seed, network.eventsMax),
    shards: recipe.shards === undefined ? undefined : createShardMemory(network, recipe.shards),
    batch: 0,
  };
}

/**
 * Trains on one more batch.
 *
 * @throws {PolyphaseError} FAILED if the loss or a gradient is not a number; no parameter has
 *   moved then
 */
export function trainBatch(state: TrainingState<TrainableNetwork>): TrainingStep {
  const { network, shards } = state;
  if (shards === undefined) return takeStep(state, trainWhole(state));
  const job = beginShards(state, shards);
  for (let shard = 0; shard < shards.shards; shard++) runShard(network, shards, job, shard);
  return takeStep(state, sumShards(network, shards));
}

/**
 * The same on threads, with the same bits; on this one where there are none. The next batch is
 * written while they work.
 *
 * @throws {PolyphaseError} as `trainBatch`; FAILED if a thread has ended
 */
export async function trainBatchOn(
  threads: TrainingThreads | undefined,
  state: TrainingState<TrainableNetwork>,
): Promise<TrainingStep> {
  const { shards, feed, batch, network } = state;
  if (threads === undefined || shards === undefined) return trainBatch(state);
  const done = threads.run(beginShards(state, shards));
  if (batch + 1 < state.task.recipe.batches) feed.tape(batch + 1);
  await done;
  return takeStep(state, sumShards(network, shards));
}

/** Gradients of a batch that is one part. */
function trainWhole(state: TrainingState<TrainableNetwork>): BatchResult {
  const { network, feed, batch } = state;
  const leak = currentLeak(state);
  for (const layer of network.layers) if (layer.shape.evaluate === "all") layer.leak = leak;
  const sink = network.beginBatch();
  if (feed.isTaped) playTape(feed.tape(batch).contents, feed.range(batch), sink);
  else feed.write(batch, sink);
  return network.trainBatch(sink.sequences, feed.pass(batch));
}

function beginShards(state: TrainingState<TrainableNetwork>, memory: ShardMemory): ShardJob {
  const { network, feed, batch } = state;
  publishParameters(network, memory);
  const { continues, dropoutSeed } = feed.pass(batch);
  return {
    tape: feed.tape(batch).contents,
    range: feed.range(batch),
    continues,
    dropoutSeed: dropoutSeed!(0),
    leak: currentLeak(state),
  };
}

function currentLeak({ task: { recipe }, batch }: TrainingState<TrainableNetwork>): number {
  return recipe.leak === undefined ? 0 : leakAt(recipe.leak, { batch, batches: recipe.batches });
}

/** Moves the parameters; where no answer was asked for there is nothing to learn. */
function takeStep(state: TrainingState<TrainableNetwork>, result: BatchResult): TrainingStep {
  const { task, network, batch } = state;
  const { recipe } = task;
  const rate = learningRateAt(recipe.rate, batch, recipe.batches);
  if (result.sequences === 0) {
    state.batch = batch + 1;
    return { ...measuresOf([result]), batch, rate, gradientNorm: 0 };
  }
  for (const layer of network.layers) addOpenPenalty(layer, recipe.openPenalty ?? 0);
  const gradientNorm = clipGradients(network.groups, recipe.clipping);
  if (!Number.isFinite(result.loss) || !Number.isFinite(gradientNorm)) {
    throw new PolyphaseError(
      "FAILED",
      `Cannot train on batch ${batch} of ${task.name}: loss and gradient must be finite, got loss ${result.loss}, gradient norm ${gradientNorm}`,
    );
  }
  state.optimizer.step(rate, batch);
  state.average.update(batch);
  state.batch = batch + 1;
  return { ...measuresOf([result]), batch, rate, gradientNorm };
}

/** What of a held-out set is measured; by default all of it, as it is. */
interface HeldOutChoices {
  /** Index of a sensor that the sequences are made to miss. */
  readonly without?: number;
  /** No further batch is taken once there are so many. */
  readonly sequencesMax?: number | undefined;
}

/** Measures the averaged weights on held-out sequences, always at α = 0 (spec D17). */
export function measureHeldOut(
  state: TrainingState<TrainableNetwork>,
  set: HeldOutSet,
  { without, sequencesMax = Number.POSITIVE_INFINITY }: HeldOutChoices = {},
): Measures {
  const { network } = state;
  const leaks = network.layers.map(({ leak }) => leak);
  const carried = network.carried.slice();
  for (const layer of network.layers) layer.leak = 0;
  const measures = state.average.apply(() => {
    const results: BatchResult[] = [];
    for (let index = 0; ; index++) {
      const sequences = results.reduce((sum, result) => sum + result.sequences, 0);
      if (sequences >= sequencesMax) return measuresOf(results);
      const batch = evaluateHeldOutBatch(state, { set, index, without });
      if (batch.length === 0) return measuresOf(results);
      results.push(...batch);
    }
  });
  network.layers.forEach((layer, i) => {
    layer.leak = leaks[i]!;
  });
  network.carried.set(carried);
  return measures;
}

/** Window by window where the task has windows; nothing behind the last batch. */
function evaluateHeldOutBatch(
  { network, task }: TrainingState<TrainableNetwork>,
  which: { readonly set: HeldOutSet; readonly index: number; readonly without: number | undefined },
): BatchResult[] {
  const { windows } = task.recipe;
  if (windows === undefined) {
    const sink = network.beginBatch();
    writeHeldOut(task, sink, which);
    return sink.sequences === 0 ? [] : [network.evaluateBatch(sink.sequences)];
  }
  const tape = new BatchTape(Number.POSITIVE_INFINITY);
  writeHeldOut(task, tape, which);
  if (tape.sequences === 0) return [];
  return Array.from({ length: windows.count }, (_, index) => {
    const range = { from: 0, to: tape.sequences, window: windowAt(windows, index) };
    const sink = network.beginBatch();
    playTape(tape.contents, range, sink);
    return network.evaluateBatch(sink.sequences, { continues: index > 0 });
  });
}

function measuresOf(results: readonly BatchResult[]): Measures {
  const sum = (pick: (result: BatchResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  const sequences = sum((result) => result.sequences);
  return {
    sequences,
    loss: sum((result) => result.loss) / Math.max(1, sequences),
    accuracy: sum((result) => result.correct) / Math.max(1, sequences),
    openFraction: sum((result) => result.openUnits) / sum((result) => result.unitEvents),
  };
}
