// A training step of the frequency task's network, 1-110-2, T = 125, B = 32: forward, backward and
// Adam. Prints CPU time per batch; minima are the better estimate on a busy machine.
import { Random } from "../src/sensors/random.ts";
import { BatchWriter } from "../src/train/network/batch-writer.ts";
import { initializeGates } from "../src/train/network/gate-initializer.ts";
import { createReadout } from "../src/train/network/readout.ts";
import { initializeWeights } from "../src/train/network/recurrent-layer.ts";
import { SequenceNetwork } from "../src/train/network/sequence-network.ts";
import { createOptimizer } from "../src/train/optimizers/create-optimizer.ts";
import {
  createSequenceOp,
  type SequenceOpName,
} from "../src/train/sequence-op/create-sequence-op.ts";
import type { SequenceShape } from "../src/train/sequence-op/sequence-op.ts";

const sequences = 32;
const events = 125;
const units = 110;

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
    embedding: undefined,
    readout: createReadout(layer, 2, random),
    loss: "cross-entropy",
    learning: { period: true, shift: true, openRatio: false, rateFactor: 0.1 },
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

function measure(network: SequenceNetwork, repeats: number): number[] {
  const optimizer = createOptimizer(
    { name: "adam", weightDecay: 0, momentum: 0.9, squareDecay: 0.999 },
    network.groups,
  );
  writeBatch(network);
  return Array.from({ length: repeats }, (_, step) => {
    const before = process.cpuUsage();
    network.trainBatch(sequences);
    optimizer.step(1e-4, step);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  }).sort((a, b) => a - b);
}

const variants: readonly [string, SequenceNetwork, number][] = [
  ["wasm, open units only, α = 0", createNetwork("wasm", "open", 0), 200],
  ["TypeScript float32, open units only, α = 0", createNetwork("typescript", "open", 0), 40],
  ["wasm, all units, α = 0.001", createNetwork("wasm", "all", 0.001), 40],
];
for (const [name, network, repeats] of variants) {
  const times = measure(network, repeats);
  const [min, median] = [times[0]!, times[Math.floor(times.length / 2)]!];
  console.log(`${name.padEnd(44)} ${min.toFixed(2)} ms min, ${median.toFixed(2)} ms median`);
}
