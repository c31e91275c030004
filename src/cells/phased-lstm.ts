import type { LayerParameters } from "./layer-parameters.ts";

/** σ(x) = 1 / (1 + e^−x) */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * Pre-activation of one gate of one unit: b + Σ_d x_d W[d, column] + Σ_m h_m U[m, column].
 *
 * @param column gate · H + unit
 */
export function preActivation(
  layer: LayerParameters,
  column: number,
  x: ArrayLike<number>,
  h: ArrayLike<number>,
): number {
  const columns = layer.bias.length;
  let z = layer.bias[column]!;
  for (let d = 0; d < layer.inputs; d++) z += x[d]! * layer.inputWeights[d * columns + column]!;
  for (let m = 0; m < layer.units; m++) z += h[m]! * layer.recurrentWeights[m * columns + column]!;
  return z;
}

/**
 * What unit `j` of an LSTM cell with peepholes proposes, as if its gate were fully open
 * (Eqs. 1–4, 7, 9):
 *
 *     i  = σ(x W_xi + h U_i + w_ci c + b_i)
 *     f  = σ(x W_xf + h U_f + w_cf c + b_f)
 *     c~ = f c + i tanh(x W_xc + h U_c + b_c)
 *     o  = σ(x W_xo + h U_o + w_co c~ + b_o)      the peephole sees c~, not the gated c
 *     h~ = o tanh(c~)
 *
 * @param proposed receives [c~, h~]
 * @param x input [I]
 * @param h the layer's previous, held outputs [H]
 * @param c the layer's previous, held cell states [H]
 */
export function phasedLstmUnit(
  proposed: Float64Array,
  layer: LayerParameters,
  j: number,
  x: ArrayLike<number>,
  h: ArrayLike<number>,
  c: ArrayLike<number>,
): void {
  const units = layer.units;
  const peepholes = layer.peepholes!;
  const wci = peepholes[j]!;
  const wcf = peepholes[units + j]!;
  const wco = peepholes[2 * units + j]!;
  const input = sigmoid(preActivation(layer, j, x, h) + wci * c[j]!);
  const forget = sigmoid(preActivation(layer, units + j, x, h) + wcf * c[j]!);
  const candidate = Math.tanh(preActivation(layer, 2 * units + j, x, h));
  const cTilde = forget * c[j]! + input * candidate;
  const output = sigmoid(preActivation(layer, 3 * units + j, x, h) + wco * cTilde);
  proposed[0] = cTilde;
  proposed[1] = output * Math.tanh(cTilde);
}
