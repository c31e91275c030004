import { type GraphSpec, graphFormat } from "../../fusion/spec/graph-spec.ts";
import type { Random } from "../../sensors/random.ts";
import { createGraphNetwork } from "../graph/create-graph-network.ts";
import type { GraphNetwork } from "../graph/graph-network.ts";
import type { GraphPlan } from "../graph/graph-plan.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import { layerCellOf } from "./cell-name.ts";
import { drawPen, penEvents } from "./pen-stroke.ts";
import type { CellOptions } from "./task-network.ts";
import { heldOutRandom, measuredRecipe, type TrainTask } from "./train-task.ts";

export interface PenOptions extends CellOptions {
  readonly batches: number;
  readonly rate: number;
}

export const penDefaults: PenOptions = {
  batches: 600,
  rate: 1e-2,
  op: "wasm",
  // What is next depends on the last events most of all, so every unit sees them.
  cell: "lstm",
  units: 32,
  gates: { periodUs: [20_000, 200_000], openRatio: 0.5, spread: "stratified" },
  learn: { period: true, shift: true, openRatio: false, rateFactor: 0.1 },
};

const batchSize = 16;
const heldOutBatches = { validation: 4, test: 8 };
const components = 4;
const dimensions = 3;

/**
 * What a pen does next, as a density: trained on strokes without anomalies, it scores each event by
 * how surprising it is.
 */
export function penTask(options: PenOptions): TrainTask<GraphNetwork> {
  const spec = penSpec(options);
  return {
    name: "pen",
    options,
    sensor: "pen",
    head: "next",
    labels: undefined,
    readShare: 0,
    recipe: measuredRecipe(options, batchSize, { warmupBatches: 50, finalShare: 0.02 }),
    createNetwork: (random) => createGraphNetwork(penPlan(spec, options), random),
    writeBatch: writeStrokes,
    writeHeldOutBatch(writer, set, index) {
      if (index >= heldOutBatches[set]) return;
      writeStrokes(writer, heldOutRandom(set, index));
    },
  };
}

function writeStrokes(writer: SequenceWriter, random: Random): void {
  for (let b = 0; b < batchSize; b++) {
    for (const { timeUs, values } of drawPen(random, 0)) writer.item(0, timeUs, values);
    writer.endRecording();
  }
}

function penSpec({ cell, units }: PenOptions): GraphSpec {
  return {
    format: graphFormat,
    name: "pen",
    time: { origin: "session-start", epochUs: 0 },
    sensors: [
      { name: "pen", kind: "scalar", size: dimensions, convention: "", mean: [], deviation: [] },
    ],
    layers: [
      {
        name: "pen-lstm",
        ...layerCellOf(cell),
        units,
        inputs: ["pen"],
        merge: "concat",
        onSilence: "hold",
      },
    ],
    heads: [
      {
        type: "mixture",
        name: "next",
        inputs: ["pen-lstm"],
        output: "every-tick",
        components,
        dimensions,
        predicts: "pen",
      },
    ],
    provenance: {},
  };
}

function penPlan(spec: GraphSpec, options: PenOptions): GraphPlan {
  return {
    spec,
    layers: {
      "pen-lstm": {
        weights: { input: 0.4, recurrent: 0.2, peephole: 0, bias: [0, 1, 0, 0] },
        gates: options.gates,
        learn: options.learn,
        rateFactor: 1,
        dropout: 0,
      },
    },
    heads: { next: { lossWeight: 1, readTicks: 1, rateFactor: 1 } },
    op: options.op,
    errors: "graph",
    limits: { sequencesMax: batchSize, eventsMax: { pen: batchSize * penEvents } },
  };
}
