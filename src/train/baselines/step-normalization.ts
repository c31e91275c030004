import type { FloatArray } from "../../cells/kernels/kernel.ts";

/** One step of a batch: rows `from` to `from + rows` of matrices with a row per event. */
export interface NormalizedStep {
  readonly from: number;
  readonly rows: number;
  /** Steps from the first of the batch, and to its last. */
  readonly step: number;
  readonly stepsLeft: number;
  /** Share of the batch's sequences that this step has; statistics of few rows count less. */
  readonly share: number;
}

/** Inside the root, so that a column without variance stays finite. */
const epsilon = 1e-5;
/** Share of the running statistics that a whole batch replaces. */
const momentum = 0.05;
/** Steps with statistics of their own, counted from the end; earlier ones share the last. */
const stepsMax = 512;

/**
 * Batch normalisation over the rows of a step, with statistics of its own for each step (Cooijmans
 * et al. 2016). Without gain and shift, which the cell applies where it needs them.
 *
 * Steps are counted from the end of the sequences, as in front-padded batches: where lengths
 * differ, the last steps have all sequences of the batch and the first ones few.
 */
export class StepNormalization {
  readonly #columns: number;
  /**
   * [stepsMax, 2 · columns + 1]: running means of the values and of their squares, and how many
   * batches they are from.
   */
  readonly statistics: Float64Array;
  /** [steps, columns] 1 / deviation at each step of the last training pass. */
  #inverse = new Float64Array(0);
  readonly #sum: Float64Array;
  readonly #products: Float64Array;

  /** @param stepsAtMost that a sequence can have */
  constructor(columns: number, stepsAtMost: number) {
    this.#columns = columns;
    const steps = Math.min(stepsAtMost, stepsMax);
    this.statistics = new Float64Array(steps * (2 * columns + 1));
    // Of a step that training never reaches: mean 0, deviation 1.
    for (let step = 0; step < steps; step++) {
      const start = step * (2 * columns + 1);
      this.statistics.fill(1, start + columns, start + 2 * columns);
    }
    this.#sum = new Float64Array(columns);
    this.#products = new Float64Array(columns);
  }

  /** Makes room for the tape of a batch. */
  begin(steps: number): void {
    const length = steps * this.#columns;
    if (this.#inverse.length < length) this.#inverse = new Float64Array(length);
  }

  /** Replaces `values` by (x − mean) / deviation: of the step's rows if training, else of all. */
  normalize(values: FloatArray, at: NormalizedStep, isTraining: boolean): void {
    const columns = this.#columns;
    const mean = this.#sum;
    const square = this.#products;
    const running = this.#statisticsStart(at);
    if (isTraining) {
      this.#measure(values, at);
      this.#update(running, at.share);
    } else {
      mean.set(this.statistics.subarray(running, running + columns));
      square.set(this.statistics.subarray(running + columns, running + 2 * columns));
    }
    const inverse = this.#inverse.subarray(at.step * columns, (at.step + 1) * columns);
    for (let m = 0; m < columns; m++) {
      const variance = Math.max(0, square[m]! - mean[m]! * mean[m]!);
      inverse[m] = 1 / Math.sqrt(variance + epsilon);
    }
    for (let row = at.from; row < at.from + at.rows; row++) {
      const start = row * columns;
      for (let m = 0; m < columns; m++) {
        values[start + m] = (values[start + m]! - mean[m]!) * inverse[m]!;
      }
    }
  }

  /**
   * From dL/dy with y = gain · x̂ + shift. Replaces `normalized` (x̂) by dL/dx.
   *
   * @param shiftGradient left out where another normalisation adds it
   */
  differentiate(
    normalized: FloatArray,
    yGradient: FloatArray,
    at: NormalizedStep,
    gain: FloatArray,
    { gainGradient, shiftGradient }: { gainGradient: FloatArray; shiftGradient?: FloatArray },
  ): void {
    const columns = this.#columns;
    const sum = this.#sum.fill(0);
    const products = this.#products.fill(0);
    for (let row = at.from; row < at.from + at.rows; row++) {
      const start = row * columns;
      for (let m = 0; m < columns; m++) {
        const dy = yGradient[start + m]!;
        sum[m]! += dy;
        products[m]! += dy * normalized[start + m]!;
      }
    }
    for (let m = 0; m < columns; m++) {
      gainGradient[m]! += products[m]!;
      if (shiftGradient !== undefined) shiftGradient[m]! += sum[m]!;
      sum[m]! /= at.rows;
      products[m]! /= at.rows;
    }
    const inverse = this.#inverse.subarray(at.step * columns, (at.step + 1) * columns);
    for (let row = at.from; row < at.from + at.rows; row++) {
      const start = row * columns;
      for (let m = 0; m < columns; m++) {
        const centred = yGradient[start + m]! - sum[m]! - normalized[start + m]! * products[m]!;
        normalized[start + m] = inverse[m]! * gain[m]! * centred;
      }
    }
  }

  #statisticsStart({ stepsLeft }: NormalizedStep): number {
    const width = 2 * this.#columns + 1;
    return width * Math.min(stepsLeft, this.statistics.length / width - 1);
  }

  /** Means of the values and of their squares. */
  #measure(values: FloatArray, { from, rows }: NormalizedStep): void {
    const columns = this.#columns;
    const mean = this.#sum.fill(0);
    const square = this.#products.fill(0);
    for (let row = from; row < from + rows; row++) {
      const start = row * columns;
      for (let m = 0; m < columns; m++) {
        const value = values[start + m]!;
        mean[m]! += value;
        square[m]! += value * value;
      }
    }
    for (let m = 0; m < columns; m++) {
      mean[m]! /= rows;
      square[m]! /= rows;
    }
  }

  /** The mean of the first batches, then a moving average. */
  #update(running: number, share: number): void {
    const columns = this.#columns;
    const { statistics } = this;
    const batches = statistics[running + 2 * columns]! + share;
    statistics[running + 2 * columns] = batches;
    const rate = share * Math.max(momentum, 1 / batches);
    for (let m = 0; m < columns; m++) {
      statistics[running + m]! += rate * (this.#sum[m]! - statistics[running + m]!);
      const square = running + columns + m;
      statistics[square]! += rate * (this.#products[m]! - statistics[square]!);
    }
  }
}
