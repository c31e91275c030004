import type { FloatArray } from "../../cells/kernels/kernel.ts";
import { type MatrixArithmetic, paddedColumns } from "../matrix/matrix-arithmetic.ts";
import { createBatch } from "../sequence-op/create-batch.ts";
import {
  checkBatchSize,
  type RecurrentOp,
  type SequenceBatch,
  type SequenceLimits,
} from "../sequence-op/sequence-op.ts";
import type { BaselineShape } from "./baseline-op.ts";
import { LayerWeights } from "./layer-weights.ts";
import { StepOrder } from "./step-order.ts";

/**
 * What all baseline layers share: the batch as its caller sees it, the same step by step, and the
 * products with W and U.
 */
export class PackedLayer {
  readonly shape: BaselineShape;
  readonly limits: SequenceLimits;
  readonly batch: SequenceBatch;
  readonly weights: LayerWeights;
  readonly order: StepOrder;
  readonly arithmetic: MatrixArithmetic;
  /** [N, H] h before each event. */
  readonly hOld: FloatArray;
  /** [B, H] h of the sequences in the order of the steps. */
  readonly h: FloatArray;
  /** [B, H padded] derivative of the loss by `h`. */
  readonly hGradient: FloatArray;
  /** [N, I] and its derivative [N, I padded]. */
  readonly #x: FloatArray;
  readonly #xGradient: FloatArray;

  constructor(
    shape: BaselineShape,
    limits: SequenceLimits,
    gates: number,
    arithmetic: MatrixArithmetic,
  ) {
    const { units, inputs } = shape;
    const { eventsMax, sequencesMax } = limits;
    const floats = (length: number): FloatArray => arithmetic.floats(length);
    this.shape = shape;
    this.limits = limits;
    this.arithmetic = arithmetic;
    this.weights = new LayerWeights(shape, gates, arithmetic);
    this.order = new StepOrder(limits);
    this.hOld = floats(eventsMax * units);
    this.h = floats(sequencesMax * units);
    this.hGradient = floats(sequencesMax * paddedColumns(units));
    this.#x = floats(eventsMax * inputs);
    this.#xGradient = floats(eventsMax * paddedColumns(inputs));
    const isDouble = this.h instanceof Float64Array;
    this.batch = createBatch(shape, limits, (length) =>
      isDouble ? new Float64Array(length) : new Float32Array(length),
    );
  }

  /** Numbers that the constructor asks for. */
  static floats(shape: BaselineShape, limits: SequenceLimits, gates: number): number {
    const { units, inputs } = shape;
    const perEvent = units + inputs + paddedColumns(inputs);
    const perSequence = units + paddedColumns(units);
    return (
      LayerWeights.floats(shape, gates) +
      limits.eventsMax * perEvent +
      limits.sequencesMax * perSequence
    );
  }

  /**
   * Brings the batch into the order of steps.
   *
   * @param z [N, columns] gets x W of all events
   * @returns events
   */
  begin(op: RecurrentOp, sequences: number, z: FloatArray): number {
    checkBatchSize(op, sequences);
    const { inputs, units } = this.shape;
    const { columns, input } = this.weights;
    const rows = this.order.arrange(this.batch, sequences);
    for (let row = 0; row < rows; row++) {
      copy(this.#x, row * inputs, this.batch.x, this.order.event[row]! * inputs, inputs);
    }
    this.order.sequences.forEach((b, place) => {
      copy(this.h, place * units, this.batch.stateH, b * units, units);
    });
    z.fill(0, 0, rows * columns);
    this.arithmetic.multiplyAdd(z, this.#x, input, { m: rows, n: columns, k: inputs });
    return rows;
  }

  /** Adds h U of the sequences of a step to its rows of `z`, and keeps that h. */
  multiplyState(z: FloatArray, from: number, rows: number): void {
    const { units } = this.shape;
    const { columns, recurrent } = this.weights;
    copy(this.hOld, from * units, this.h, 0, rows * units);
    const target = z.subarray(from * columns, (from + rows) * columns);
    this.arithmetic.multiplyAdd(target, this.h, recurrent, { m: rows, n: columns, k: units });
  }

  /** Hands out h of a step's sequences at the events that are read. */
  put(from: number, rows: number): void {
    const { units } = this.shape;
    const { batch, order } = this;
    for (let place = 0; place < rows; place++) {
      const event = order.event[from + place]!;
      if (event < batch.readFrom[order.sequences[place]!]!) continue;
      copy(batch.h, event * units, this.h, place * units, units);
    }
  }

  /** After the last step. */
  end(): void {
    const { units } = this.shape;
    this.order.sequences.forEach((b, place) => {
      copy(this.batch.stateH, b * units, this.h, place * units, units);
    });
  }

  beginBackward(): void {
    this.weights.transpose();
    this.hGradient.fill(0);
  }

  /** Adds what the loss says of h at a step to the derivative that came from later steps. */
  take(from: number, rows: number): void {
    const { units } = this.shape;
    const { batch, order } = this;
    const width = paddedColumns(units);
    for (let place = 0; place < rows; place++) {
      const event = order.event[from + place]!;
      if (event < batch.readFrom[order.sequences[place]!]!) continue;
      for (let u = 0; u < units; u++) {
        this.hGradient[place * width + u]! += batch.hGradient[event * units + u]!;
      }
    }
  }

  /** Replaces the derivative by h of a step's sequences by that by the h before, from dL/d(h U). */
  backwardState(zGradient: FloatArray, from: number, rows: number): void {
    const { columns, recurrentTransposed } = this.weights;
    const width = paddedColumns(this.shape.units);
    this.hGradient.fill(0, 0, rows * width);
    const source = zGradient.subarray(from * columns, (from + rows) * columns);
    const sizes = { m: rows, n: width, k: columns };
    this.arithmetic.multiplyAdd(this.hGradient, source, recurrentTransposed, sizes);
  }

  /** Derivatives by U, W and x of all events at once, from those by h U and x W. */
  endBackward(hProductGradient: FloatArray, xProductGradient: FloatArray, rows: number): void {
    const { units, inputs } = this.shape;
    const { weights, arithmetic, batch, order } = this;
    const n = weights.columns;
    const width = paddedColumns(inputs);
    arithmetic.multiplyAddTransposed(weights.recurrentGradient, this.hOld, hProductGradient, {
      m: units,
      n,
      k: rows,
    });
    arithmetic.multiplyAddTransposed(weights.inputGradient, this.#x, xProductGradient, {
      m: inputs,
      n,
      k: rows,
    });
    this.#xGradient.fill(0, 0, rows * width);
    arithmetic.multiplyAdd(this.#xGradient, xProductGradient, weights.inputTransposed, {
      m: rows,
      n: width,
      k: n,
    });
    for (let row = 0; row < rows; row++) {
      copy(batch.xGradient, order.event[row]! * inputs, this.#xGradient, row * width, inputs);
    }
  }
}

/** `count` numbers from one array to another. */
function copy(
  target: FloatArray,
  to: number,
  source: FloatArray,
  from: number,
  count: number,
): void {
  for (let m = 0; m < count; m++) target[to + m] = source[from + m]!;
}
