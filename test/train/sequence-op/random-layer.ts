import type { GateMode } from "../../../src/cells/gate.ts";
import { Random } from "../../../src/sensors/random.ts";
import {
  openLogitOf,
  rowIndex,
  rowLength,
  type SequenceLimits,
  type SequenceOp,
  type SequenceShape,
} from "../../../src/train/sequence-op/sequence-op.ts";

export const smallShape: SequenceShape = {
  inputs: 3,
  units: 7,
  gate: "phase",
  evaluate: "open",
};

export function limitsOf(sequences: number, events: number, units: number): SequenceLimits {
  return { sequencesMax: sequences, eventsMax: events, openUnitsMax: events * units };
}

/** Random parameters: peepholes, biases and wide gates, so that nothing is zero by accident. */
export function randomParameters(op: SequenceOp, seed: number): void {
  const random = new Random(seed);
  const { units, inputs } = op.shape;
  const length = rowLength(op.shape);
  for (let row = 0; row < units * 4; row++) {
    for (let m = 0; m <= units + inputs; m++) {
      const index = rowIndex(length, row >> 2, row & 3, m);
      op.parameters.rows[index] = Math.fround(0.4 * random.normal());
    }
  }
  for (let m = 0; m < 3 * units; m++) op.parameters.peepholes[m] = Math.fround(random.normal());
  for (let u = 0; u < units; u++) {
    op.parameters.logPeriod[u] = Math.log(20_000) + 0.5 * random.normal();
    op.parameters.shift[u] = random.uniform();
    op.parameters.openLogit[u] = openLogitOf(0.25 + 0.3 * random.uniform());
  }
}

/** Random sequences of different lengths with irregular times; also a random initial state. */
export function randomBatch(op: SequenceOp, lengths: readonly number[], seed: number): void {
  const random = new Random(seed);
  const { batch, shape } = op;
  let n = 0;
  lengths.forEach((length, b) => {
    batch.offsets[b] = n;
    batch.readFrom[b] = n + Math.floor(length / 2);
    let time = 0;
    for (let j = 0; j < length; j++, n++) {
      time += random.below(9_000);
      batch.timeUs[n] = time;
      for (let d = 0; d < shape.inputs; d++) {
        batch.x[n * shape.inputs + d] = Math.fround(random.normal());
      }
      for (let u = 0; u < shape.units; u++) {
        batch.hGradient[n * shape.units + u] = Math.fround(random.normal());
      }
    }
  });
  batch.offsets[lengths.length] = n;
  resetState(op, lengths.length, seed + 1);
}

export function resetState(op: SequenceOp, sequences: number, seed: number): void {
  const random = new Random(seed);
  for (let m = 0; m < sequences * op.shape.units; m++) {
    op.batch.stateH[m] = Math.fround(0.3 * random.normal());
    op.batch.stateC[m] = Math.fround(0.3 * random.normal());
  }
}

export const gateCases: readonly {
  shape: { gate: GateMode; evaluate: "open" | "all" };
  leak: number;
}[] = [
  { shape: { gate: "phase", evaluate: "open" }, leak: 0 },
  { shape: { gate: "phase", evaluate: "all" }, leak: 0 },
  { shape: { gate: "phase", evaluate: "all" }, leak: 0.01 },
  { shape: { gate: "square", evaluate: "open" }, leak: 0 },
  { shape: { gate: "always", evaluate: "open" }, leak: 0 },
];
