import type { Weights } from "../fusion/tensor.ts";
import { openLogitOf, rowIndex, rowLength, type SequenceOp } from "./sequence-op/sequence-op.ts";

/**
 * The inverse of `exportLayer`: takes over a layer's tensors from a model. τ, s and r_on come back
 * to rounding, for they are learned as log τ, s / τ and a logit.
 *
 * @param weights of the shapes that the layer needs
 * @param name of the layer in that model
 */
export function importLayer(op: SequenceOp, weights: Weights, name: string): void {
  const { units, inputs } = op.shape;
  const { parameters } = op;
  const length = rowLength(op.shape);
  const copy = (suffix: string, rows: number, from: number): void => {
    const { data } = weights.get(`${name}.${suffix}`)!;
    for (let m = 0; m < rows; m++) {
      for (let column = 0; column < 4 * units; column++) {
        const gate = Math.floor(column / units);
        const index = rowIndex(length, column % units, gate, from + m);
        parameters.rows[index] = data[m * 4 * units + column]!;
      }
    }
  };
  copy("recurrent_weights", units, 0);
  copy("input_weights", inputs, units);
  copy("bias", 1, units + inputs);
  const peepholes = weights.get(`${name}.peepholes`)?.data;
  if (peepholes === undefined) parameters.peepholes.fill(0);
  else parameters.peepholes.set(peepholes);
  const period = weights.get(`${name}.period_us`)?.data;
  if (period === undefined) return;
  const shift = weights.get(`${name}.shift_us`)!.data;
  const openRatio = weights.get(`${name}.open_ratio`)!.data;
  for (let u = 0; u < units; u++) {
    parameters.logPeriod[u] = Math.log(period[u]!);
    parameters.shift[u] = shift[u]! / period[u]!;
    parameters.openLogit[u] = openLogitOf(openRatio[u]!);
  }
}
