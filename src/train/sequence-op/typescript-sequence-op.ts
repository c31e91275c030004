import type { FloatArray } from "../../cells/kernels/kernel.ts";
import { createBatch } from "./create-batch.ts";
import { backwardGates } from "./gate-gradients.ts";
import { countOpen, type OpenUnits, scanGates } from "./gate-scan.ts";
import {
  checkSequenceBatch,
  checkSequenceShape,
  openUnitsExceeded,
  rowIndex,
  rowLength,
  type SequenceBatch,
  type SequenceLimits,
  type SequenceOp,
  type SequenceShape,
  type SequenceTensors,
} from "./sequence-op.ts";

/** What `backward` needs to know of each evaluated unit; element e belongs to entry e. */
interface Tape {
  readonly open: OpenUnits;
  readonly i: FloatArray;
  readonly f: FloatArray;
  readonly g: FloatArray;
  readonly o: FloatArray;
  /** c and h before the event. */
  readonly cOld: FloatArray;
  readonly hOld: FloatArray;
  /** c~ and tanh(c~). */
  readonly cNew: FloatArray;
  readonly tanhC: FloatArray;
  /** Derivative of the loss by k. */
  readonly kGradient: FloatArray;
  /** Derivatives by the four pre-activations of the units of one event [4 · H]. */
  readonly z: FloatArray;
}

/** Beyond ±40 a sigmoid is 0 or 1 in float32, and e^x still is finite. */
const preActivationMax = 40;

/**
 * The sequence op in plain TypeScript: with float64 the reference every other is compared with, in
 * float32 the one to fall back on.
 *
 * A closed unit (k = 0) is the identity, so only evaluated units are written down, and `backward`
 * puts their old h and c back in place as it walks to the start.
 */
export function createTypescriptSequenceOp(
  shape: SequenceShape,
  limits: SequenceLimits,
  floats: "float64" | "float32",
): SequenceOp {
  checkSequenceShape(shape, limits);
  const array = (length: number): FloatArray =>
    floats === "float64" ? new Float64Array(length) : new Float32Array(length);
  const parameters = createTensors(shape, array);
  const gradients = createTensors(shape, array);
  const batch = createBatch(shape, limits, array);
  const tape = createTape(shape, limits, array);
  const v = array(rowLength(shape));
  const vGradient = array(rowLength(shape));
  const cGradient = array(shape.units);

  const op: SequenceOp = {
    shape,
    limits,
    parameters,
    gradients,
    batch,
    leak: 0,
    forward(sequences) {
      checkSequenceBatch(op, sequences);
      const times = { timeUs: batch.timeUs, leak: op.leak, events: batch.offsets[sequences]! };
      const count = scanGates(shape, parameters, times, tape.open);
      if (count < 0) throw openUnitsExceeded(op);
      for (let b = 0; b < sequences; b++) forwardSequence(shape, parameters, batch, tape, v, b);
      return countOpen(shape, parameters, tape.open, count);
    },
    backward(sequences) {
      for (let b = 0; b < sequences; b++) {
        vGradient.fill(0);
        cGradient.fill(0);
        backwardSequence(op, tape, { v, vGradient, cGradient }, b);
      }
      backwardGates(op, tape.open, tape.kGradient, batch.offsets[sequences]!);
    },
  };
  return op;
}

function forwardSequence(
  shape: SequenceShape,
  parameters: SequenceTensors,
  batch: SequenceBatch,
  tape: Tape,
  v: FloatArray,
  b: number,
): void {
  const { units, inputs } = shape;
  const c = batch.stateC.subarray(b * units, (b + 1) * units);
  v.fill(0);
  v.set(batch.stateH.subarray(b * units, (b + 1) * units));
  v[units + inputs] = 1;
  for (let n = batch.offsets[b]!; n < batch.offsets[b + 1]!; n++) {
    const from = tape.open.start[n]!;
    const to = tape.open.start[n + 1]!;
    for (let d = 0; d < inputs; d++) v[units + d] = batch.x[n * inputs + d]!;
    for (let e = from; e < to; e++) evaluateUnit(parameters, tape, v, c, e);
    // Only now: all units of an event read the same old h (spec D8).
    for (let e = from; e < to; e++) {
      const u = tape.open.unit[e]!;
      const k = tape.open.k[e]!;
      if (k === 0) continue;
      c[u] = k * tape.cNew[e]! + (1 - k) * tape.cOld[e]!;
      v[u] = k * tape.o[e]! * tape.tanhC[e]! + (1 - k) * tape.hOld[e]!;
    }
    if (n >= batch.readFrom[b]!) batch.h.set(v.subarray(0, units), n * units);
  }
  batch.stateH.set(v.subarray(0, units), b * units);
}

/** Eqs. 1-5 of one unit from the old h and c. */
function evaluateUnit(
  parameters: SequenceTensors,
  tape: Tape,
  v: FloatArray,
  c: FloatArray,
  e: number,
): void {
  const { rows, peepholes } = parameters;
  const length = v.length;
  const units = c.length;
  const u = tape.open.unit[e]!;
  let zi = 0;
  let zf = 0;
  let zg = 0;
  let zo = 0;
  for (let m = 0; m < length; m++) {
    const value = v[m]!;
    const row = rowIndex(length, u, 0, m);
    zi += rows[row]! * value;
    zf += rows[row + 4]! * value;
    zg += rows[row + 8]! * value;
    zo += rows[row + 12]! * value;
  }
  const cOld = c[u]!;
  const i = sigmoid(zi + peepholes[u]! * cOld);
  const f = sigmoid(zf + peepholes[units + u]! * cOld);
  const g = Math.tanh(clamp(zg));
  const cNew = f * cOld + i * g;
  tape.i[e] = i;
  tape.f[e] = f;
  tape.g[e] = g;
  // The gates are blind to the time gate: the peephole of o sees c~ (spec 1.3).
  tape.o[e] = sigmoid(zo + peepholes[2 * units + u]! * cNew);
  tape.cOld[e] = cOld;
  tape.hOld[e] = v[u]!;
  tape.cNew[e] = cNew;
  tape.tanhC[e] = Math.tanh(cNew);
}

interface BackwardState {
  /** [h, x, 1] as it was before the event at hand. */
  readonly v: FloatArray;
  /** Derivative of the loss by `v`; its first H elements are carried from event to event. */
  readonly vGradient: FloatArray;
  /** Derivative by c. */
  readonly cGradient: FloatArray;
}

function backwardSequence(op: SequenceOp, tape: Tape, state: BackwardState, b: number): void {
  const { units, inputs } = op.shape;
  const { batch } = op;
  const { v, vGradient } = state;
  v.fill(0);
  v.set(batch.stateH.subarray(b * units, (b + 1) * units));
  v[units + inputs] = 1;
  for (let n = batch.offsets[b + 1]! - 1; n >= batch.offsets[b]!; n--) {
    if (n >= batch.readFrom[b]!) addView(vGradient, batch.hGradient, n * units, units);
    const from = tape.open.start[n]!;
    const to = tape.open.start[n + 1]!;
    for (let d = 0; d < inputs; d++) v[units + d] = batch.x[n * inputs + d]!;
    vGradient.fill(0, units);
    for (let e = from; e < to; e++) backwardUnit(op, tape, state, e, (e - from) * 4);
    for (let e = from; e < to; e++) v[tape.open.unit[e]!] = tape.hOld[e]!;
    for (let e = from; e < to; e++) backwardRows(op, tape, state, e, (e - from) * 4);
    for (let d = 0; d < inputs; d++) batch.xGradient[n * inputs + d] = vGradient[units + d]!;
  }
}

/** Adds `source[from … from + count)` to the start of `target`. */
function addView(target: FloatArray, source: FloatArray, from: number, count: number): void {
  for (let m = 0; m < count; m++) target[m]! += source[from + m]!;
}

/** Derivatives by what Eqs. 1-10 of one unit read, all but h and x. */
function backwardUnit(
  op: SequenceOp,
  tape: Tape,
  state: BackwardState,
  e: number,
  z: number,
): void {
  const { units } = op.shape;
  const { peepholes } = op.parameters;
  const peepholeGradient = op.gradients.peepholes;
  const u = tape.open.unit[e]!;
  const k = tape.open.k[e]!;
  const [i, f, g, o] = [tape.i[e]!, tape.f[e]!, tape.g[e]!, tape.o[e]!];
  const [cOld, cNew, tanhC] = [tape.cOld[e]!, tape.cNew[e]!, tape.tanhC[e]!];
  const dh = state.vGradient[u]!;
  const dc = state.cGradient[u]!;
  tape.kGradient[e] = dh * (o * tanhC - tape.hOld[e]!) + dc * (cNew - cOld);
  const dzo = k * dh * tanhC * o * (1 - o);
  const dcNew = k * dc + k * dh * o * (1 - tanhC * tanhC) + dzo * peepholes[2 * units + u]!;
  const dzi = dcNew * g * i * (1 - i);
  const dzf = dcNew * cOld * f * (1 - f);
  const dzg = dcNew * i * (1 - g * g);
  tape.z[z] = dzi;
  tape.z[z + 1] = dzf;
  tape.z[z + 2] = dzg;
  tape.z[z + 3] = dzo;
  peepholeGradient[u]! += dzi * cOld;
  peepholeGradient[units + u]! += dzf * cOld;
  peepholeGradient[2 * units + u]! += dzo * cNew;
  state.cGradient[u] = (1 - k) * dc + dcNew * f + dzi * peepholes[u]! + dzf * peepholes[units + u]!;
  state.vGradient[u] = (1 - k) * dh;
}

/** z = rows · v: derivatives by both. */
function backwardRows(
  op: SequenceOp,
  tape: Tape,
  state: BackwardState,
  e: number,
  z: number,
): void {
  const { rows } = op.parameters;
  const rowsGradient = op.gradients.rows;
  const { v, vGradient } = state;
  const length = v.length;
  const dzi = tape.z[z]!;
  const dzf = tape.z[z + 1]!;
  const dzg = tape.z[z + 2]!;
  const dzo = tape.z[z + 3]!;
  const u = tape.open.unit[e]!;
  for (let m = 0; m < length; m++) {
    const value = v[m]!;
    const i = rowIndex(length, u, 0, m);
    const f = i + 4;
    const g = i + 8;
    const o = i + 12;
    vGradient[m]! += rows[i]! * dzi + rows[f]! * dzf + rows[g]! * dzg + rows[o]! * dzo;
    rowsGradient[i]! += dzi * value;
    rowsGradient[f]! += dzf * value;
    rowsGradient[g]! += dzg * value;
    rowsGradient[o]! += dzo * value;
  }
}

function clamp(z: number): number {
  return Math.max(-preActivationMax, Math.min(preActivationMax, z));
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-clamp(z)));
}

function createTensors(
  shape: SequenceShape,
  array: (length: number) => FloatArray,
): SequenceTensors {
  const { units } = shape;
  return {
    rows: array(units * 4 * rowLength(shape)),
    peepholes: array(3 * units),
    logPeriod: new Float64Array(units),
    shift: new Float64Array(units),
    openLogit: new Float64Array(units),
  };
}

function createTape(
  shape: SequenceShape,
  { eventsMax, openUnitsMax }: SequenceLimits,
  array: (length: number) => FloatArray,
): Tape {
  return {
    open: {
      start: new Int32Array(eventsMax + 1),
      unit: new Int32Array(openUnitsMax),
      phi: array(openUnitsMax),
      k: array(openUnitsMax),
    },
    i: array(openUnitsMax),
    f: array(openUnitsMax),
    g: array(openUnitsMax),
    o: array(openUnitsMax),
    cOld: array(openUnitsMax),
    hOld: array(openUnitsMax),
    cNew: array(openUnitsMax),
    tanhC: array(openUnitsMax),
    kGradient: array(openUnitsMax),
    z: array(4 * shape.units),
  };
}
