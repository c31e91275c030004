import type { FloatArray } from "../../cells/kernels/kernel.ts";
import { type MatrixArithmetic, paddedColumns } from "../matrix/matrix-arithmetic.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import type { SequenceLimits } from "../sequence-op/sequence-op.ts";
import type { BaselineOp, BaselineShape } from "./baseline-op.ts";
import type { LayerWeights } from "./layer-weights.ts";
import { PackedLayer } from "./packed-layer.ts";
import { type NormalizedStep, StepNormalization } from "./step-normalization.ts";

/** Gains at the start: small enough that tanh does not saturate (Cooijmans et al. 2016). */
const gainAtStart = 0.1;
const gates = 4;

/**
 * A layer of batch-normalised LSTM units over whole sequences (Cooijmans et al. 2016):
 *
 *     z = BN(h U; γ_h) + BN(x W; γ_x) + b        i, f, g, o from z as in an LSTM
 *     c = f c + i g                              h = o tanh(BN(c; γ_c, β_c))
 *
 * Every step has statistics of its own: of the batch while training, running ones else.
 */
export interface BatchNormLstmOp extends BaselineOp {
  readonly weights: LayerWeights;
}

/** Numbers that a layer asks its arithmetic for. */
export function batchNormLstmFloats(shape: BaselineShape, limits: SequenceLimits): number {
  const perEvent = 3 * paddedColumns(gates * shape.units);
  return PackedLayer.floats(shape, limits, gates) + limits.eventsMax * perEvent;
}

/** @param arithmetic in float64 the reference, in SIMD for training */
export function createBatchNormLstmOp(
  shape: BaselineShape,
  limits: SequenceLimits,
  arithmetic: MatrixArithmetic,
): BatchNormLstmOp {
  const packed = new PackedLayer(shape, limits, gates, arithmetic);
  const { order, weights } = packed;
  const tape = createTape(packed);
  const norms = createNorms(packed);
  let events = 0;
  const stepAt = (step: number): NormalizedStep => {
    const from = order.rowStart[step]!;
    const rows = order.rowStart[step + 1]! - from;
    const stepsLeft = order.steps - 1 - step;
    return { from, rows, step, stepsLeft, share: rows / order.sequences.length };
  };
  const op: BatchNormLstmOp = {
    shape,
    limits,
    batch: packed.batch,
    groups: [...weights.groups, ...normGroups(norms)],
    weights,
    leak: 0,
    forward(sequences, isTraining) {
      events = packed.begin(op, sequences, tape.xProduct);
      tape.hProduct.fill(0, 0, events * weights.columns);
      loadCells(packed, tape);
      for (const norm of [norms.h, norms.x, norms.c]) norm.steps.begin(order.steps);
      for (let step = 0; step < order.steps; step++) {
        const at = stepAt(step);
        packed.multiplyState(tape.hProduct, at.from, at.rows);
        norms.h.steps.normalize(tape.hProduct, at, isTraining);
        norms.x.steps.normalize(tape.xProduct, at, isTraining);
        updateCells(packed, tape, norms, at);
        norms.c.steps.normalize(tape.cNormal, at, isTraining);
        updateOutputs(packed, tape, norms, at);
        packed.put(at.from, at.rows);
      }
      packed.end();
      storeCells(packed, tape);
      return events * shape.units;
    },
    backward() {
      packed.beginBackward();
      tape.cGradient.fill(0);
      for (let step = order.steps - 1; step >= 0; step--) {
        const at = stepAt(step);
        packed.take(at.from, at.rows);
        backwardOutputs(packed, tape, at);
        const { gain, gainGradient, shiftGradient } = norms.c;
        const { cNormal, cNormalGradient } = tape;
        norms.c.steps.differentiate(cNormal, cNormalGradient, at, gain, {
          gainGradient,
          shiftGradient,
        });
        backwardCells(packed, tape, at);
        norms.x.steps.differentiate(tape.xProduct, tape.gates, at, norms.x.gain, {
          gainGradient: norms.x.gainGradient,
          shiftGradient: weights.biasGradient,
        });
        norms.h.steps.differentiate(tape.hProduct, tape.gates, at, norms.h.gain, {
          gainGradient: norms.h.gainGradient,
        });
        packed.backwardState(tape.hProduct, at.from, at.rows);
      }
      packed.endBackward(tape.hProduct, tape.xProduct, events);
    },
  };
  return op;
}

/** What `backward` needs of each event, in the order of steps. */
interface Tape {
  /** [N, columns] x W and h U, then normalised, then the derivatives by them. */
  readonly xProduct: FloatArray;
  readonly hProduct: FloatArray;
  /** [N, columns] i, f, g, o, then the derivatives by their sums. */
  readonly gates: FloatArray;
  /** [N, H] c before the event, c normalised (then the derivative by c), tanh of it. */
  readonly cOld: FloatArray;
  readonly cNormal: FloatArray;
  readonly tanhC: FloatArray;
  /** [N, H] derivative by what tanh sees. */
  readonly cNormalGradient: FloatArray;
  /** [B, H] c of the sequences, and the derivative by it. */
  readonly c: FloatArray;
  readonly cGradient: FloatArray;
}

function createTape({ arithmetic, weights, shape, limits, h }: PackedLayer): Tape {
  const { units } = shape;
  const isDouble = h instanceof Float64Array;
  const array = (length: number): FloatArray =>
    isDouble ? new Float64Array(length) : new Float32Array(length);
  const wide = (): FloatArray => arithmetic.floats(limits.eventsMax * weights.columns);
  const narrow = (): FloatArray => array(limits.eventsMax * units);
  return {
    xProduct: wide(),
    hProduct: wide(),
    gates: wide(),
    cOld: narrow(),
    cNormal: narrow(),
    tanhC: narrow(),
    cNormalGradient: narrow(),
    c: array(limits.sequencesMax * units),
    cGradient: array(limits.sequencesMax * units),
  };
}

/** One normalisation and what is learned of it. */
interface Norm {
  readonly name: string;
  readonly steps: StepNormalization;
  readonly gain: FloatArray;
  readonly gainGradient: FloatArray;
  readonly shift: FloatArray;
  readonly shiftGradient: FloatArray;
}

interface Norms {
  readonly h: Norm;
  readonly x: Norm;
  readonly c: Norm;
}

function createNorms({ shape, limits, weights, h }: PackedLayer): Norms {
  const isDouble = h instanceof Float64Array;
  const norm = (name: string, columns: number, used: number): Norm => {
    const array = (): FloatArray =>
      isDouble ? new Float64Array(columns) : new Float32Array(columns);
    return {
      name,
      steps: new StepNormalization(columns, limits.eventsMax),
      gain: array().fill(gainAtStart, 0, used),
      gainGradient: array(),
      shift: array(),
      shiftGradient: array(),
    };
  };
  return {
    h: norm("hNorm", weights.columns, gates * shape.units),
    x: norm("xNorm", weights.columns, gates * shape.units),
    c: norm("cNorm", shape.units, shape.units),
  };
}

/** The shifts of h U and x W are fixed at 0: b stands for them. */
function normGroups({ h, x, c }: Norms): ParameterGroup[] {
  const group = (
    name: string,
    values: FloatArray,
    gradient: FloatArray,
    rateFactor: number,
  ): ParameterGroup => ({ name: `layer.${name}`, values, gradient, rateFactor, decays: false });
  const all = [h, x, c];
  return [
    ...all.map((norm) => group(`${norm.name}.gain`, norm.gain, norm.gainGradient, 1)),
    group(`${c.name}.shift`, c.shift, c.shiftGradient, 1),
    ...all.map(({ name, steps: { statistics } }) =>
      group(`${name}.statistics`, statistics, new Float64Array(statistics.length), 0),
    ),
  ];
}

function loadCells({ order, batch, shape }: PackedLayer, tape: Tape): void {
  const { units } = shape;
  order.sequences.forEach((b, place) => {
    tape.c.set(batch.stateC.subarray(b * units, (b + 1) * units), place * units);
  });
}

function storeCells({ order, batch, shape }: PackedLayer, tape: Tape): void {
  const { units } = shape;
  order.sequences.forEach((b, place) => {
    batch.stateC.set(tape.c.subarray(place * units, (place + 1) * units), b * units);
  });
}

/** Gates and the new c of a step's sequences. */
function updateCells(
  { shape: { units }, weights: { columns, bias } }: PackedLayer,
  tape: Tape,
  { h, x }: Norms,
  { from, rows }: NormalizedStep,
): void {
  const sum = (row: number, m: number): number =>
    h.gain[m]! * tape.hProduct[row + m]! + x.gain[m]! * tape.xProduct[row + m]! + bias[m]!;
  for (let place = 0; place < rows; place++) {
    const row = (from + place) * columns;
    for (let u = 0; u < units; u++) {
      const i = sigmoid(sum(row, u));
      const f = sigmoid(sum(row, units + u));
      const g = Math.tanh(sum(row, 2 * units + u));
      const cell = (from + place) * units + u;
      const cOld = tape.c[place * units + u]!;
      const c = f * cOld + i * g;
      tape.gates[row + u] = i;
      tape.gates[row + units + u] = f;
      tape.gates[row + 2 * units + u] = g;
      tape.gates[row + 3 * units + u] = sigmoid(sum(row, 3 * units + u));
      tape.cOld[cell] = cOld;
      tape.cNormal[cell] = c;
      tape.c[place * units + u] = c;
    }
  }
}

/** h of a step's sequences from the normalised c. */
function updateOutputs(
  { shape: { units }, weights: { columns }, h }: PackedLayer,
  tape: Tape,
  { c }: Norms,
  { from, rows }: NormalizedStep,
): void {
  for (let place = 0; place < rows; place++) {
    for (let u = 0; u < units; u++) {
      const cell = (from + place) * units + u;
      const tanhC = Math.tanh(c.gain[u]! * tape.cNormal[cell]! + c.shift[u]!);
      tape.tanhC[cell] = tanhC;
      h[place * units + u] = tape.gates[(from + place) * columns + 3 * units + u]! * tanhC;
    }
  }
}

/** From the derivative by h to those by the sum of o and by what tanh sees. */
function backwardOutputs(
  { shape: { units }, weights: { columns }, hGradient }: PackedLayer,
  tape: Tape,
  { from, rows }: NormalizedStep,
): void {
  const width = paddedColumns(units);
  for (let place = 0; place < rows; place++) {
    for (let u = 0; u < units; u++) {
      const cell = (from + place) * units + u;
      const gate = (from + place) * columns + 3 * units + u;
      const dh = hGradient[place * width + u]!;
      const o = tape.gates[gate]!;
      const tanhC = tape.tanhC[cell]!;
      tape.gates[gate] = dh * tanhC * o * (1 - o);
      tape.cNormalGradient[cell] = dh * o * (1 - tanhC * tanhC);
    }
  }
}

/** From the derivative by c to those by the sums of i, f and g, and by the c before. */
function backwardCells(
  { shape: { units }, weights: { columns } }: PackedLayer,
  tape: Tape,
  { from, rows }: NormalizedStep,
): void {
  for (let place = 0; place < rows; place++) {
    const row = (from + place) * columns;
    for (let u = 0; u < units; u++) {
      const cell = (from + place) * units + u;
      const carried = place * units + u;
      const dc = tape.cGradient[carried]! + tape.cNormal[cell]!;
      const i = tape.gates[row + u]!;
      const f = tape.gates[row + units + u]!;
      const g = tape.gates[row + 2 * units + u]!;
      tape.gates[row + u] = dc * g * i * (1 - i);
      tape.gates[row + units + u] = dc * tape.cOld[cell]! * f * (1 - f);
      tape.gates[row + 2 * units + u] = dc * i * (1 - g * g);
      tape.cGradient[carried] = dc * f;
    }
  }
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
