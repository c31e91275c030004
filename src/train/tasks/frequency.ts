import type { Random } from "../../sensors/random.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import { needsTimeInput } from "./cell-name.ts";
import {
  drawPeriods,
  drawSampleTimes,
  drawSignal,
  oneSine,
  type Sampling,
  samplesMax,
  twoSines,
} from "./frequency-signal.ts";
import { type CellOptions, createTaskNetwork } from "./task-network.ts";
import { heldOutRandom, measuredRecipe, type TrainTask } from "./train-task.ts";

export interface FrequencyOptions extends CellOptions {
  readonly sampling: Sampling;
  readonly signal: "one-sine" | "two-sines";
  readonly batches: number;
  readonly rate: number;
}

export const frequencyDefaults: FrequencyOptions = {
  sampling: "async",
  signal: "one-sine",
  batches: 20_000,
  rate: 5e-3,
  op: "wasm",
  cell: "phased-lstm",
  units: 110,
  gates: {
    periodUs: [Math.exp(3.5) * 1000, Math.exp(4) * 1000],
    openRatio: 0.05,
    spread: "stratified",
  },
  learn: { period: true, shift: true, openRatio: false, rateFactor: 0.1 },
};

const batchSize = 32;
const heldOutSequences = { validation: 2_048, test: 65_536 };
/** The time input of cells without a time gate is t over the length of the window. */
const windowUs = 125_000;

/** Frequency discrimination: is the period of a sine between 5 and 6 ms? (Neil et al. 2016) */
export function frequencyTask(options: FrequencyOptions): TrainTask {
  const target = options.signal === "one-sine" ? oneSine : twoSines;
  const writeSequences = (writer: SequenceWriter, random: Random): void => {
    for (let b = 0; b < batchSize; b++) {
      const isTarget = b % 2 === 0;
      const signal = drawSignal(random, drawPeriods(random, target, isTarget));
      for (const timeUs of drawSampleTimes(random, options.sampling)) {
        writer.event(timeUs, signal(timeUs), timeUs / windowUs);
      }
      writer.endSequence(isTarget ? 1 : 0, 0);
    }
  };
  return {
    name: "frequency",
    options,
    sensor: "signal",
    head: "class",
    labels: ["other", "target"],
    readShare: 0,
    recipe: measuredRecipe(options, batchSize, { warmupBatches: 100, finalShare: 0.02 }),
    createNetwork(random) {
      return createTaskNetwork(options, random, {
        inputs: needsTimeInput(options.cell) ? 2 : 1,
        outputs: 2,
        loss: "cross-entropy",
        embedding: undefined,
        weights: { input: 1, recurrent: 0.1, peephole: 0.1, bias: [-0.1, 0, 0, 0] },
        sequencesMax: batchSize,
        eventsMax: batchSize * samplesMax(options.sampling),
      });
    },
    writeBatch: writeSequences,
    writeHeldOutBatch(writer, set, index) {
      if (index * batchSize >= heldOutSequences[set]) return;
      writeSequences(writer, heldOutRandom(set, index));
    },
  };
}
