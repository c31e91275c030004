import type { Random } from "../../sensors/random.ts";
import type { SequenceNetwork } from "../network/sequence-network.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import type { TrainableNetwork } from "../network/trainable-network.ts";
import type { GradientClipping } from "../optimizers/gradient-clipping.ts";
import type { LearningRateSchedule } from "../optimizers/learning-rate.ts";
import type { OptimizerSpec } from "../optimizers/optimizer.ts";
import { trainingRandom } from "../trainer/training-seed.ts";

/** How a network is trained. */
export interface Recipe {
  readonly batches: number;
  /** Sequences in a batch. */
  readonly batchSize: number;
  readonly optimizer: OptimizerSpec;
  readonly rate: LearningRateSchedule;
  readonly clipping: GradientClipping;
  /** Decay of the moving average of the weights per batch; 0 for none. */
  readonly averageDecay: number;
  /** Absent: α = 0 from the first batch on. */
  readonly leak?: LeakSchedule;
  /** Weight of the mean of r_on in the loss; absent or 0: open units cost nothing. */
  readonly openPenalty?: number;
  /** What sensors are made to miss, so that one alone has to do; absent: nothing. */
  readonly masking?: ModalityMasking;
  /** Where errors go back no further than a window, and its end is where the next begins. */
  readonly windows?: RecordingWindows;
  /** Parts a batch is cut into, whose gradients are summed in order; absent: one. */
  readonly shards?: number;
}

/** By index of the sensor. */
export interface ModalityMasking {
  /** Probability that a recording is without this sensor; at most one is missing, so Σ ≤ 1. */
  readonly absent: readonly number[];
  /** Probability that an event of this sensor is lost. */
  readonly lost: readonly number[];
}

/** Truncated back-propagation: recordings are shown window by window, a batch each. */
export interface RecordingWindows {
  /** Windows of a recording; the last one takes what is left. */
  readonly count: number;
  readonly durationUs: number;
}

/** α over a run: from `start` in a straight line to 0. */
export interface LeakSchedule {
  readonly start: number;
  /** Share of the run after which α is 0. */
  readonly zeroFrom: number;
}

/** α of batch `progress.batch`. */
export function leakAt({ start, zeroFrom }: LeakSchedule, { batch, batches }: Progress): number {
  return start * Math.max(0, 1 - batch / (zeroFrom * batches));
}

/** What a task needs to know of where training stands. */
export interface Progress {
  readonly batch: number;
  readonly batches: number;
}

/** Something to learn: data, network and recipe. */
export interface TrainTask<N extends TrainableNetwork = SequenceNetwork> {
  readonly name: string;
  /** What was chosen about it, as JSON; a checkpoint belongs to these choices. */
  readonly options: object;
  readonly recipe: Recipe;
  /** Names of the sensor and the head in the graph of a trained model. */
  readonly sensor: string;
  readonly head: string;
  /** Names of the classes; undefined for a regression. */
  readonly labels: readonly string[] | undefined;
  /** Share of a sequence's events, the last ones, that the answer is a mean over; 0 for the last. */
  readonly readShare: number;
  createNetwork(random: Random): N;
  /** Writes `recipe.batchSize` fresh sequences. */
  writeBatch(writer: SequenceWriter, random: Random, progress: Progress): void;
  /**
   * Writes sequences that are never trained on, at most `recipe.batchSize`, the same at every call
   * with the same `index`; none after the last.
   */
  writeHeldOutBatch(writer: SequenceWriter, set: HeldOutSet, index: number): void;
}

/** `validation` is looked at while training, `test` once at the end. */
export type HeldOutSet = "validation" | "test";

/** Random numbers of a held-out batch of a task that makes its data; the same for every run. */
export function heldOutRandom(set: HeldOutSet, index: number): Random {
  return trainingRandom(0, set, index);
}

/** Adam as in all measured recipes. */
export const adamDefaults: OptimizerSpec = {
  name: "adam",
  weightDecay: 0,
  momentum: 0.9,
  squareDecay: 0.999,
};

/** What is alike in all measured recipes: Adam, a rate that warms up and falls, a clipped norm. */
export function measuredRecipe(
  { batches, rate }: { readonly batches: number; readonly rate: number },
  batchSize: number,
  schedule: Omit<LearningRateSchedule, "peak">,
): Recipe {
  return {
    batches,
    batchSize,
    optimizer: adamDefaults,
    rate: { peak: rate, ...schedule },
    clipping: { normMax: 1, valueMax: Number.POSITIVE_INFINITY },
    averageDecay: 0,
  };
}
