import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
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
import { interleave, spread, type Timings, type Variant } from "../interleave.ts";
import { createTfjsTrainingStep } from "../peers/tfjs-training-step.ts";
import type { Report } from "../report.ts";

const sequences = 32;
const events = 125;
const units = 110;
const classes = 2;
const shape = `1-${units}-${classes}`;
const rounds = 15;
/** Batches a round of the fastest: a run makes thousands, so what is compiled late counts. */
const batchesPerRound = 10;
const slowBatchesPerRound = 2;
/** tfjs takes seconds a batch. */
const slowRounds = 2;
const nsPerMs = 1e6;

const open = "wasm open";
const all = "wasm all";
const typescript = "typescript open";
const tfjs = "tfjs all";
const pytorch = "pytorch all";

/**
 * A training step of the frequency task's network, 1-110-2, T = 125, B = 32: forward, backward and
 * Adam. `open` evaluates open units only, `all` every unit with the exact leak α = 0.001. Goals:
 * 5 ms and 60 ms.
 */
export async function benchTrainStep(report: Report): Promise<void> {
  const timings = await interleave(
    [variant(open), variant(typescript, "typescript"), variant(all, "wasm", "all", 0.001)],
    rounds,
  );
  reportRows(report, timings);
  report.ratioOf(`train-typescript-vs-open:${shape}`, timings, typescript, open);
  await benchTfjs(report);
  await benchPytorch(report);
}

/** The same composed of tfjs's own operations, beside ours in the same rounds. */
async function benchTfjs(report: Report): Promise<void> {
  const step = await createTfjsTrainingStep({ units, events, sequences, classes });
  const peer: Variant = {
    name: tfjs,
    events: 1,
    run: async () => {
      await step();
    },
  };
  const ours = [variant(open), variant(all, "wasm", "all", 0.001)];
  const timings = await interleave([...ours, peer], slowRounds);
  reportPeer(report, timings, tfjs);
}

/** The same in PyTorch on one core, in a process of its own, if there is one. */
async function benchPytorch(report: Report): Promise<void> {
  const cpu = runPytorch();
  if (cpu === undefined) {
    console.log(`${pytorch}: not installed for ${python}; PYTHON names another`);
    return;
  }
  const ours = [variant(open), variant(all, "wasm", "all", 0.001)];
  const timings = await interleave(ours, cpu.length);
  const withPeer = { ...timings, cpu: new Map([...timings.cpu, [pytorch, cpu]]) };
  reportPeer(report, withPeer, pytorch);
}

/** Row and ratios of a peer that evaluates every unit. */
function reportPeer(report: Report, timings: Timings, peer: string): void {
  const name = peer.split(" ")[0];
  reportRows(report, { ...timings, cpu: new Map([[peer, timings.cpu.get(peer)!]]) });
  report.ratioOf(`train-${name}-vs-open:${shape}`, timings, peer, open);
  report.ratioOf(`train-${name}-vs-all:${shape}`, timings, peer, all);
}

function reportRows(report: Report, timings: Timings): void {
  for (const [name, values] of timings.cpu) {
    report.row(`${name}:${shape}`, "ms/batch", spread(values.map((ns) => ns / nsPerMs)));
  }
}

const python = process.env["PYTHON"] ?? "python3";
const pytorchScript = fileURLToPath(new URL("../peers/pytorch_training_step.py", import.meta.url));

/** CPU ns of each round; undefined where PyTorch is not installed. */
function runPytorch(): number[] | undefined {
  if (spawnSync(python, ["-c", "import torch"]).status !== 0) return undefined;
  const sizes = [units, events, sequences, classes, rounds].map(String);
  const output = execFileSync(python, ["-W", "ignore", pytorchScript, ...sizes], {
    encoding: "utf8",
  });
  return (JSON.parse(output) as number[]).map((milliseconds) => milliseconds * nsPerMs);
}

function variant(
  name: string,
  op: SequenceOpName = "wasm",
  evaluate: SequenceShape["evaluate"] = "open",
  leak = 0,
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
    readout: createReadout(layer, classes, random),
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
    writer.endSequence(b % classes, 0);
  }
}
