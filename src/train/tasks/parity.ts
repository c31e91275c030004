import type { Random } from "../../sensors/random.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import { type CellOptions, createTaskNetwork } from "./task-network.ts";
import { heldOutRandom, measuredRecipe, type TrainTask } from "./train-task.ts";

export interface ParityOptions extends CellOptions {
  readonly batches: number;
  readonly rate: number;
  readonly bits: number;
}

export const parityDefaults: ParityOptions = {
  batches: 600,
  rate: 2e-2,
  bits: 6,
  op: "wasm",
  cell: "lstm",
  units: 12,
  gates: { periodUs: [4_000, 16_000], openRatio: 0.5, spread: "stratified" },
  learn: { period: true, shift: true, openRatio: false, rateFactor: 0.1 },
};

const batchSize = 32;
const heldOutBatches = 8;

/** Parity of a few bits: two states are enough, no state is not. Small enough for a unit test. */
export function parityTask(options: ParityOptions): TrainTask {
  const writeSequences = (writer: SequenceWriter, random: Random): void => {
    for (let b = 0; b < batchSize; b++) {
      let parity = 0;
      for (let j = 0; j < options.bits; j++) {
        const bit = random.below(2);
        parity ^= bit;
        writer.event(j * 1000, 2 * bit - 1, j / options.bits);
      }
      writer.endSequence(parity, 0);
    }
  };
  return {
    name: "parity",
    options,
    sensor: "bits",
    head: "parity",
    labels: ["even", "odd"],
    readShare: 0,
    recipe: measuredRecipe(options, batchSize, { warmupBatches: 20, finalShare: 0.02 }),
    createNetwork(random) {
      return createTaskNetwork(options, random, {
        inputs: 2,
        outputs: 2,
        loss: "cross-entropy",
        embedding: undefined,
        weights: { input: 1, recurrent: 0.3, peephole: 0.1, bias: [0, 1, 0, 0] },
        sequencesMax: batchSize,
        eventsMax: batchSize * options.bits,
      });
    },
    writeBatch: writeSequences,
    writeHeldOutBatch(writer, set, index) {
      if (index >= heldOutBatches) return;
      writeSequences(writer, heldOutRandom(set, index));
    },
  };
}
