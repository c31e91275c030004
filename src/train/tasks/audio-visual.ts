import { type GraphSpec, graphFormat, type LayerSpec } from "../../fusion/spec/graph-spec.ts";
import type { Weights } from "../../fusion/tensor.ts";
import type { Random } from "../../sensors/random.ts";
import { createGraphNetwork } from "../graph/create-graph-network.ts";
import type { GraphNetwork } from "../graph/graph-network.ts";
import type { GraphPlan, LayerPlan } from "../graph/graph-plan.ts";
import { importGraph } from "../graph/graph-weights.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import { layerCellOf } from "./cell-name.ts";
import type { CellOptions } from "./task-network.ts";
import {
  heldOutRandom,
  type ModalityMasking,
  measuredRecipe,
  type TrainTask,
} from "./train-task.ts";

export interface AudioVisualOptions extends CellOptions {
  readonly batches: number;
  readonly rate: number;
  readonly masking: ModalityMasking;
  /** Of the inputs of the merge layers. */
  readonly dropout: number;
  /** Layers and heads that stay as they start. */
  readonly freeze: readonly string[];
  readonly errors: GraphPlan["errors"];
  /** Hash of the model that was begun with. */
  readonly start?: string;
}

export const audioVisualDefaults: AudioVisualOptions = {
  batches: 400,
  rate: 1e-2,
  masking: { absent: [0, 0], lost: [0, 0.05] },
  dropout: 0,
  freeze: [],
  errors: "graph",
  op: "wasm",
  // Merge layers tick with the denser sensor: its spacing is the length of their windows.
  cell: "square-lstm",
  units: 40,
  gates: { periodUs: [100_000, 100_000], openRatio: 0.1, spread: "stratified" },
  learn: { period: false, shift: false, openRatio: false, rateFactor: 0.1 },
};

/** Parts that can be frozen. */
export const audioVisualParts: readonly string[] = [
  "audio-lstm",
  "video-lstm",
  "merge-1",
  "merge-2",
  "word",
];

const batchSize = 16;
const heldOutBatches = { validation: 8, test: 32 };
const wordsPerRecording = 4;
const wordUs = 300_000;
/** From the start of a word to that of the next. */
const slotUs = 400_000;
const readTicks = 5;
const branchUnits = 16;
const audio = { index: 0, size: 2, everyUs: 10_000, noise: 0.5 };
const video = { index: 1, size: 3, everyUs: 40_000, noise: 0.3 };
/** Beyond the sampling, as a share of it: how far events are from where they would be. */
const jitter = 0.3;

/** How long a recording lasts, for whoever cuts it into windows. */
export const audioVisualRecordingUs: number = wordsPerRecording * slotUs;

/**
 * Words that one sensor alone cannot tell: a sound that rises or falls, heard about every 10 ms,
 * while something moves left or right, seen about every 40 ms; the word is which of the four. A
 * recording is four words, and the state is never reset inside it.
 *
 * @param start weights to begin with, for the layers and heads of the same name
 */
export function audioVisualTask(
  options: AudioVisualOptions,
  start?: Weights,
): TrainTask<GraphNetwork> {
  const spec = audioVisualSpec(options);
  return {
    name: "audio-visual",
    options,
    sensor: "audio",
    head: "word",
    labels: spec.heads[0]!.type === "softmax" ? spec.heads[0]!.labels : undefined,
    readShare: 0,
    recipe: {
      ...measuredRecipe(options, batchSize, { warmupBatches: 50, finalShare: 0.02 }),
      masking: options.masking,
    },
    createNetwork(random) {
      const network = createGraphNetwork(audioVisualPlan(spec, options), random);
      if (start !== undefined) importGraph(network, start);
      return network;
    },
    writeBatch: writeRecordings,
    writeHeldOutBatch(writer, set, index) {
      if (index >= heldOutBatches[set]) return;
      writeRecordings(writer, heldOutRandom(set, index));
    },
  };
}

function audioVisualSpec({ cell, units }: AudioVisualOptions): GraphSpec {
  const base = { merge: "concat", onSilence: "hold" } as const;
  const branch = (name: string): LayerSpec => ({
    ...base,
    name: `${name}-lstm`,
    cell: "phased-lstm",
    units: branchUnits,
    inputs: [name],
    gate: { mode: "own-event" },
  });
  const merge = (name: string, inputs: readonly string[]): LayerSpec => ({
    ...base,
    name,
    ...layerCellOf(cell),
    units,
    inputs,
  });
  const sensor = { kind: "scalar", convention: "", mean: [], deviation: [] } as const;
  return {
    format: graphFormat,
    name: "audio-visual",
    time: { origin: "session-start", epochUs: 0 },
    sensors: [
      { ...sensor, name: "audio", size: audio.size },
      { ...sensor, name: "video", size: video.size },
    ],
    layers: [
      branch("audio"),
      branch("video"),
      merge("merge-1", ["audio-lstm", "video-lstm"]),
      merge("merge-2", ["merge-1"]),
    ],
    heads: [
      {
        type: "softmax",
        name: "word",
        inputs: ["merge-2"],
        output: "on-change",
        labels: ["rise-right", "rise-left", "fall-right", "fall-left"],
      },
    ],
    provenance: {},
  };
}

function audioVisualPlan(spec: GraphSpec, options: AudioVisualOptions): GraphPlan {
  const rateOf = (name: string): number => (options.freeze.includes(name) ? 0 : 1);
  const layer = ({ name, inputs }: LayerSpec): LayerPlan => ({
    weights: { input: 0.4, recurrent: 0.2, peephole: 0, bias: [0, 1, 0, 0] },
    gates: options.gates,
    learn: options.learn,
    rateFactor: rateOf(name),
    dropout: inputs.includes("audio") || inputs.includes("video") ? 0 : options.dropout,
  });
  const eventsMax = (everyUs: number): number =>
    batchSize * wordsPerRecording * Math.ceil(wordUs / everyUs);
  return {
    spec,
    layers: Object.fromEntries(spec.layers.map((one) => [one.name, layer(one)])),
    heads: { word: { lossWeight: 1, readTicks, rateFactor: rateOf("word") } },
    op: options.op,
    errors: options.errors,
    limits: {
      sequencesMax: batchSize,
      eventsMax: { audio: eventsMax(audio.everyUs), video: eventsMax(video.everyUs) },
    },
  };
}

interface Heard {
  readonly sensor: number;
  readonly timeUs: number;
  readonly values: Float64Array;
}

function writeRecordings(writer: SequenceWriter, random: Random): void {
  for (let b = 0; b < batchSize; b++) {
    for (let word = 0; word < wordsPerRecording; word++) {
      const falls = random.below(2);
      const isLeft = random.below(2);
      const startUs = word * slotUs + random.below(slotUs - wordUs);
      const events = [
        ...sense(audio, falls === 1, startUs, random),
        ...sense(video, isLeft === 1, startUs, random),
      ];
      events.sort((a, c) => a.timeUs - c.timeUs || a.sensor - c.sensor);
      for (const { sensor, timeUs, values } of events) writer.item(sensor, timeUs, values);
      writer.read(2 * falls + isLeft);
    }
    writer.endRecording();
  }
}

/** A bump that goes over the sensor's elements, from the first to the last or back. */
function sense(
  sensor: typeof audio,
  isBackwards: boolean,
  startUs: number,
  random: Random,
): Heard[] {
  const { index, size, everyUs, noise } = sensor;
  return Array.from({ length: Math.floor(wordUs / everyUs) }, (_, j) => {
    const offsetUs = Math.round((j + jitter * random.uniform()) * everyUs);
    const progress = isBackwards ? 1 - offsetUs / wordUs : offsetUs / wordUs;
    const values = Float64Array.from({ length: size }, (__, d) => {
      const distance = progress * (size - 1) - d;
      // Events of a recording are float32.
      return Math.fround(Math.exp(-2 * distance * distance) + noise * random.normal());
    });
    return { sensor: index, timeUs: startUs + offsetUs, values };
  });
}
