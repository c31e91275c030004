import type { Random } from "../../sensors/random.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import { type CellOptions, createTaskNetwork } from "./task-network.ts";
import { heldOutRandom, measuredRecipe, type TrainTask } from "./train-task.ts";

export interface AddingOptions extends CellOptions {
  readonly batches: number;
  readonly rate: number;
}

/** One step is one millisecond. */
const stepUs = 1000;

export const addingDefaults: AddingOptions = {
  batches: 20_000,
  rate: 1e-2,
  op: "wasm",
  cell: "phased-lstm",
  units: 110,
  gates: {
    periodUs: [Math.exp(6) * stepUs, Math.exp(8) * stepUs],
    openRatio: 0.05,
    spread: "stratified",
  },
  learn: { period: true, shift: true, openRatio: false, rateFactor: 0.1 },
};

const batchSize = 32;
const heldOutSequences = { validation: 256, test: 1_024 };
const stepsMin = 490;
const stepsMax = 510;

/**
 * Adding: of about 500 values from −0.5 to 0.5 two are marked, one in the first tenth and one in
 * the second half; the target is their sum (Neil et al. 2016, after Hochreiter & Schmidhuber 1997).
 */
export function addingTask(options: AddingOptions): TrainTask {
  return {
    name: "adding",
    options,
    sensor: "numbers",
    head: "sum",
    labels: undefined,
    readShare: 0,
    recipe: measuredRecipe(options, batchSize, { warmupBatches: 100, finalShare: 0.01 }),
    createNetwork(random) {
      return createTaskNetwork(options, random, {
        inputs: 2,
        outputs: 1,
        loss: "squared-error",
        embedding: undefined,
        weights: { input: 1, recurrent: 0.1, peephole: 0.1, bias: [-0.1, 0, 0, 0] },
        sequencesMax: batchSize,
        eventsMax: batchSize * stepsMax,
      });
    },
    writeBatch: writeSequences,
    writeHeldOutBatch(writer, set, index) {
      if (index * batchSize >= heldOutSequences[set]) return;
      writeSequences(writer, heldOutRandom(set, index));
    },
  };
}

function writeSequences(writer: SequenceWriter, random: Random): void {
  for (let b = 0; b < batchSize; b++) {
    const steps = stepsMin + random.below(stepsMax - stepsMin + 1);
    const half = Math.floor(steps / 2);
    const first = random.below(Math.floor(steps / 10));
    const second = half + random.below(steps - half);
    let sum = 0;
    for (let j = 0; j < steps; j++) {
      const value = random.uniform() - 0.5;
      const isMarked = j === first || j === second;
      if (isMarked) sum += value;
      writer.event((j + 1) * stepUs, value, isMarked ? 1 : 0);
    }
    writer.endSequence(sum, 0);
  }
}
