import type { FloatArray } from "../../cells/kernels/kernel.ts";
import { type MatrixArithmetic, paddedColumns } from "../matrix/matrix-arithmetic.ts";
import type { SequenceLimits } from "../sequence-op/sequence-op.ts";
import type { BaselineOp, BaselineShape } from "./baseline-op.ts";
import type { LayerWeights } from "./layer-weights.ts";
import { PackedLayer } from "./packed-layer.ts";

/** What a plain recurrent unit does with its sum. */
export type Activation = "tanh" | "relu";

/** A layer of plain recurrent units over whole sequences: h = φ(x W + h U + b). */
export interface RnnOp extends BaselineOp {
  readonly weights: LayerWeights;
}

/** Numbers that a layer asks its arithmetic for. */
export function rnnFloats(shape: BaselineShape, limits: SequenceLimits): number {
  return PackedLayer.floats(shape, limits, 1) + limits.eventsMax * paddedColumns(shape.units);
}

/** @param arithmetic in float64 the reference, in SIMD for training */
export function createRnnOp(
  shape: BaselineShape,
  limits: SequenceLimits,
  activation: Activation,
  arithmetic: MatrixArithmetic,
): RnnOp {
  const packed = new PackedLayer(shape, limits, 1, arithmetic);
  const { weights, order } = packed;
  /** [N, columns] h of each event after `forward`, the derivative by its sum in `backward`. */
  const z = arithmetic.floats(limits.eventsMax * weights.columns);
  let events = 0;
  const op: RnnOp = {
    shape,
    limits,
    batch: packed.batch,
    groups: weights.groups,
    weights,
    leak: 0,
    forward(sequences) {
      events = packed.begin(op, sequences, z);
      for (let step = 0; step < order.steps; step++) {
        const from = order.rowStart[step]!;
        const rows = order.rowStart[step + 1]! - from;
        packed.multiplyState(z, from, rows);
        activate(packed, z, from, rows, activation);
        packed.put(from, rows);
      }
      packed.end();
      return events * shape.units;
    },
    backward() {
      packed.beginBackward();
      for (let step = order.steps - 1; step >= 0; step--) {
        const from = order.rowStart[step]!;
        const rows = order.rowStart[step + 1]! - from;
        packed.take(from, rows);
        differentiate(packed, z, from, rows, activation);
        packed.backwardState(z, from, rows);
      }
      packed.endBackward(z, z, events);
    },
  };
  return op;
}

function activate(
  { shape, weights, h }: PackedLayer,
  z: FloatArray,
  from: number,
  rows: number,
  activation: Activation,
): void {
  const { units } = shape;
  for (let place = 0; place < rows; place++) {
    const row = (from + place) * weights.columns;
    for (let u = 0; u < units; u++) {
      const sum = z[row + u]! + weights.bias[u]!;
      const value = activation === "tanh" ? Math.tanh(sum) : Math.max(0, sum);
      z[row + u] = value;
      h[place * units + u] = value;
    }
  }
}

/** From the derivative by h to that by its sum, in the place of h. */
function differentiate(
  { shape, weights, hGradient }: PackedLayer,
  z: FloatArray,
  from: number,
  rows: number,
  activation: Activation,
): void {
  const { units } = shape;
  for (let place = 0; place < rows; place++) {
    const row = (from + place) * weights.columns;
    for (let u = 0; u < units; u++) {
      const value = z[row + u]!;
      const slope = activation === "tanh" ? 1 - value * value : value > 0 ? 1 : 0;
      const gradient = hGradient[place * paddedColumns(units) + u]! * slope;
      z[row + u] = gradient;
      weights.biasGradient[u]! += gradient;
    }
  }
}
