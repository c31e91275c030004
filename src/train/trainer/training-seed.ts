import { Random } from "../../sensors/random.ts";

/** What random numbers are drawn for; every purpose has its own stream. */
export type RandomPurpose = "weights" | "batch" | "validation" | "test";

const purposes: readonly RandomPurpose[] = ["weights", "batch", "validation", "test"];
const seedMax = 2 ** 19 - 1;

/**
 * Random numbers of one batch (or other purpose) of a run. Each batch has a stream of its own, so
 * that a resumed run draws what the uninterrupted one would have drawn.
 *
 * @param seed of the run, 0 to 2^19 − 1
 * @param index 0 to 2^32 − 1
 */
export function trainingRandom(seed: number, purpose: RandomPurpose, index: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0 || seed > seedMax) {
    throw new RangeError(`Cannot train: seed must be from 0 to ${seedMax}, got ${seed}`);
  }
  return new Random((seed * 4 + purposes.indexOf(purpose)) * 2 ** 32 + index);
}
