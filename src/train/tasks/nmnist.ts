import { join } from "node:path";
import { nmnistSize } from "../../sensors/dvs/codecs/nmnist.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { Random } from "../../sensors/random.ts";
import { takeBackend } from "../backends/take-backend.ts";
import { FastSaccades } from "../datasets/fast-saccades.ts";
import { imageView, type MnistImages, readMnistImages } from "../datasets/mnist-images.ts";
import { type LabelledRecording, readNmnistRecordings } from "../datasets/nmnist-recordings.ts";
import { drawSaccadeVariation } from "../datasets/saccade-variation.ts";
import { FrameCnn, type FrameCnnSizes } from "../frames/frame-cnn.ts";
import type { SequenceNetwork } from "../network/sequence-network.ts";
import { needsTimeInput } from "./cell-name.ts";
import { drawWarp, noWarp, writeRecording } from "./nmnist-presentation.ts";
import { type CellOptions, createTaskNetwork } from "./task-network.ts";
import { type HeldOutSet, measuredRecipe, type Progress, type TrainTask } from "./train-task.ts";

export interface NmnistOptions extends CellOptions {
  readonly batches: number;
  readonly rate: number;
  readonly recordings: "mixed" | "simulated" | "real";
  /** A recurrent layer event by event, or for comparison a CNN on pictures of whole recordings. */
  readonly network: "recurrent" | "frame-cnn";
  /** Real recordings, the last ones, that are kept for validation and not trained on. */
  readonly holdOut: number;
  /** Simulated recordings in all; each is shown several times, thinned and warped anew. */
  readonly simulated: number;
}

export const nmnistDefaults: NmnistOptions = {
  batches: 6_000,
  rate: 1e-2,
  recordings: "mixed",
  network: "recurrent",
  holdOut: 200,
  simulated: 12_000,
  op: "wasm",
  cell: "phased-lstm",
  units: 110,
  gates: { periodUs: [100_000, 350_000], openRatio: 0.05, spread: "stratified" },
  learn: { period: true, shift: true, openRatio: false, rateFactor: 0.1 },
};

const batchSize = 16;
const frameSizes: FrameCnnSizes = {
  frame: nmnistSize,
  kernels: 8,
  hidden: 256,
  outputs: 10,
  sequencesMax: batchSize,
};
const eventsMax = 120_000;
const dimensions = 40;
const readShare = 0.2;
/** Of the simulator's constants: flat between 0.1 and 0.8. */
const randomisation = 0.35;
/** Recordings 1 … 1000 are MNIST's first training images: simulated ones start behind them. */
const realImages = 1_000;
const simulationSeed = 7;
/** Where every event is kept nothing is drawn. */
const unusedRandom: Random = new Random(0);
/** From this share of the run on, streams are thinned less. */
const finalShare = 0.85;

/**
 * Digits seen by an event camera, event by event (Neil et al. 2016, section 3.3).
 *
 * @param backend of tfjs for the CNN, the first that works by default
 */
export async function nmnistTask(
  options: NmnistOptions,
  dataDirectory: string,
  backend?: string,
): Promise<TrainTask<SequenceNetwork | FrameCnn>> {
  if (options.simulated < 1) {
    throw new PolyphaseError("USAGE", "Cannot train nmnist: simulated must be at least 1, got 0");
  }
  const tf = options.network === "frame-cnn" ? await takeBackend(backend) : undefined;
  const real = await readNmnistRecordings(join(dataDirectory, "nmnist"));
  const isSimulated = options.recordings !== "real";
  const images = isSimulated
    ? await readMnistImages(join(dataDirectory, "mnist"), "train")
    : undefined;
  if (options.holdOut >= real.length) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot train nmnist: hold-out must be below the ${real.length} recordings, got ${options.holdOut}`,
    );
  }
  const trained =
    options.recordings === "simulated" ? [] : real.slice(0, real.length - options.holdOut);
  const simulated =
    images === undefined ? undefined : new SimulatedRecordings(images, options.simulated);
  const heldOut = heldOutRecordings(options, real);
  const recipe = measuredRecipe(options, batchSize, { warmupBatches: 100, finalShare: 0.01 });
  return {
    name: "nmnist",
    options,
    sensor: "dvs",
    head: "digit",
    labels: Array.from({ length: 10 }, (_, digit) => String(digit)),
    readShare,
    recipe: {
      ...recipe,
      optimizer: { ...recipe.optimizer, weightDecay: 0.01 },
      averageDecay: 0.998,
    },
    createNetwork(random) {
      // Without a time gate a unit forgets at every event: it starts by remembering about fifty.
      const forgetBias = needsTimeInput(options.cell) ? 4 : 0;
      if (tf !== undefined) return new FrameCnn(tf, frameSizes, random);
      return createTaskNetwork(options, random, {
        inputs: dimensions + 1,
        outputs: 10,
        loss: "cross-entropy",
        embedding: { ...nmnistSize, dimensions },
        weights: { input: 0.3, recurrent: 0.1, peephole: 0.1, bias: [-0.1, forgetBias, 0, 0] },
        sequencesMax: batchSize,
        eventsMax,
      });
    },
    writeBatch(writer, random, progress) {
      const share = realShare(options, progress);
      const isFinal = progress.batch >= finalShare * progress.batches;
      for (let b = 0; b < batchSize; b++) {
        const isReal = random.uniform() < share;
        const source = isReal ? trained[random.below(trained.length)]! : simulated!.draw(random);
        const keep = isFinal ? 0.4 + 0.6 * random.uniform() : 0.1 + 0.3 * random.uniform();
        const warp = drawWarp(random, isReal ? 1 : 0.3);
        writeRecording(writer, source.events, { keep, warp, random });
        writer.endSequence(source.label, readShare);
      }
    },
    writeHeldOutBatch(writer, set, index) {
      for (const recording of heldOut[set].slice(index * batchSize, (index + 1) * batchSize)) {
        writeRecording(writer, recording.events, { keep: 1, warp: noWarp, random: unusedRandom });
        writer.endSequence(recording.label, readShare);
      }
    },
  };
}

/** Share of real recordings: 0.2 at the start to 0.5 at the end of a mixed run. */
function realShare(options: NmnistOptions, { batch, batches }: Progress): number {
  if (options.recordings === "mixed") return 0.2 + (0.3 * batch) / batches;
  return options.recordings === "real" ? 1 : 0;
}

/**
 * Real recordings that were not trained on. Where all are trained on there is nothing to test with;
 * some of training stand in for validation, which then shows no more than that training works.
 */
function heldOutRecordings(
  options: NmnistOptions,
  real: readonly LabelledRecording[],
): Record<HeldOutSet, readonly LabelledRecording[]> {
  if (options.recordings === "simulated") return { validation: real.slice(0, 200), test: real };
  const held = real.slice(real.length - options.holdOut);
  return { validation: (held.length === 0 ? real : held).slice(0, 200), test: held };
}

/** Simulated recordings by number, each made when it is first drawn. */
class SimulatedRecordings {
  readonly #images: MnistImages;
  readonly #count: number;
  readonly #made = new Map<number, LabelledRecording>();
  readonly #simulator = new FastSaccades();

  constructor(images: MnistImages, count: number) {
    this.#images = images;
    this.#count = count;
  }

  draw(random: Random): LabelledRecording {
    const number = random.below(this.#count);
    const made = this.#made.get(number);
    if (made !== undefined) return made;
    const own = new Random(simulationSeed * 2 ** 32 + number);
    const sample = realImages + own.below(this.#images.count - realImages);
    const variation = drawSaccadeVariation(own, randomisation);
    const events = this.#simulator.simulate(imageView(this.#images, sample), variation, own);
    const recording = { sample, label: this.#images.labels[sample]!, events };
    this.#made.set(number, recording);
    return recording;
  }
}
