import { Random } from "../../src/sensors/random.ts";
import { BatchWriter } from "../../src/train/network/batch-writer.ts";
import { initializeGates } from "../../src/train/network/gate-initializer.ts";
import { createReadout } from "../../src/train/network/readout.ts";
import { initializeWeights, layerGroups } from "../../src/train/network/recurrent-layer.ts";
import { SequenceNetwork } from "../../src/train/network/sequence-network.ts";
import { createOptimizer } from "../../src/train/optimizers/create-optimizer.ts";
import {
  createSequenceOp,
  type SequenceOpName,
} from "../../src/train/sequence-op/create-sequence-op.ts";
import type { SequenceShape } from "../../src/train/sequence-op/sequence-op.ts";
import { interleave, ratioOf, spread, type Variant } from "../interleave.ts";
import { createTfjsForwardPass } from "../peers/tfjs-forward-pass.ts";
import type { Report } from "../report.ts";

const sequences = 32;
const events = 125;
const units = 110;
const rounds = 15;
/** Batches a round of the fastest: a run makes thousands, so what is compiled late counts. */
const batchesPerRound = 10;
const slowBatchesPerRound = 2;
/** tfjs takes seconds a batch. */
const slowRounds = 2;
const nsPerMs = 1e6;

/**
 * A training step of the frequency task's network, 1-110-2, T = 125, B = 32: forward, backward and
 * Adam. Goals: 5 ms over open units only, 60 ms with the exact leak.
 */
export async function benchTrainStep(report: Report): Promise<void> {
  const ours = [
    variant("wasm open", "wasm", "open", 0),
    variant("typescript open", "typescript", "open", 0),
    variant("wasm all, leak 0.001", "wasm", "all", 0.001),
  ];
  const timings = await interleave(ours, rounds);
  for (const [name, values] of timings.cpu) {
    report.row(name, "ms/batch", spread(values.map((ns) => ns / nsPerMs)));
  }
  report.ratio("typescript / wasm", ratioOf(timings, "typescript open", "wasm open", "cpu"));
  report.ratio("all / open", ratioOf(timings, "wasm all, leak 0.001", "wasm open", "cpu"));
  await benchTfjs(report);
}

/** tfjs's own operations beside ours, in the same rounds. */
async function benchTfjs(report: Report): Promise<void> {
  const tfjs = {
    name: "tfjs wasm, forward only",
    events: 1,
    run: await createTfjsForwardPass("wasm", { units, events, sequences }),
  };
  const open = variant("wasm open", "wasm", "open", 0);
  const all = variant("wasm all, leak 0.001", "wasm", "all", 0.001);
  const timings = await interleave([open, all, tfjs], slowRounds);
  const milliseconds = timings.cpu.get(tfjs.name)!.map((ns) => ns / nsPerMs);
  report.row(tfjs.name, "ms/batch", spread(milliseconds));
  report.ratio("tfjs forward / open", ratioOf(timings, tfjs.name, open.name, "cpu"));
  report.ratio("tfjs forward / all", ratioOf(timings, tfjs.name, all.name, "cpu"));
}

function variant(
  name: string,
  op: SequenceOpName,
  evaluate: SequenceShape["evaluate"],
  leak: number,
): Variant {
  const batches = op === "wasm" && evaluate === "open" ? batchesPerRound : slowBatchesPerRound;
  const network = createNetwork(op, evaluate, leak);
  const optimizer = createOptimizer(
    { name: "adam", weightDecay: 0, momentum: 0.9, squareDecay: 0.999 },
    network.groups,
  );
  writeBatch(network);
  let step = 0;
  return {
    name,
    events: batches,
    run: () => {
      for (let i = 0; i < batches; i++) {
        network.trainBatch(sequences);
        optimizer.step(1e-4, step++);
      }
    },
  };
}

function createNetwork(
  op: SequenceOpName,
  evaluate: SequenceShape["evaluate"],
  leak: number,
): SequenceNetwork {
  const random = new Random(1);
  const layer = createSequenceOp(
    op,
    { inputs: 1, units, gate: "phase", evaluate },
    {
      sequencesMax: sequences,
      eventsMax: sequences * events,
      openUnitsMax: sequences * events * units,
    },
  );
  layer.leak = leak;
  initializeWeights(
    layer,
    { input: 1, recurrent: 0.1, peephole: 0.1, bias: [-0.1, 0, 0, 0] },
    random,
  );
  initializeGates(
    layer.parameters,
    { periodUs: [33_000, 55_000], openRatio: 0.05, spread: "stratified" },
    random,
  );
  return new SequenceNetwork({
    layer,
    layerGroups: layerGroups(layer, "layer", {
      period: true,
      shift: true,
      openRatio: false,
      rateFactor: 0.1,
    }),
    embedding: undefined,
    readout: createReadout(layer, 2, random),
    loss: "cross-entropy",
  });
}

function writeBatch(network: SequenceNetwork): void {
  const random = new Random(2);
  const writer = new BatchWriter(network);
  for (let b = 0; b < sequences; b++) {
    let timeUs = 0;
    for (let j = 0; j < events; j++) {
      timeUs += random.below(2_000);
      writer.event(timeUs, 2 * random.uniform() - 1, 0);
    }
    writer.endSequence(b % 2, 0);
  }
}
