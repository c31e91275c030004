import type { LayerParameters } from "./layer-parameters.ts";
import { preActivation, sigmoid } from "./phased-lstm.ts";

/**
 * What unit `j` of a GRU proposes, as if its gate were fully open. The reset gate acts after the
 * recurrent product (Cho et al. 2014 as computed by cuDNN), so that a unit needs its own rows only:
 *
 *     r  = σ(x W_r + h U_r + b_r)
 *     z  = σ(x W_z + h U_z + b_z)
 *     n  = tanh(x W_n + b_n + r (h U_n + b_hn))
 *     h~ = (1 − z) n + z h
 *
 * @param x input [I]
 * @param h the layer's previous, held outputs [H]
 * @returns h~
 */
export function phasedGruUnit(
  layer: LayerParameters,
  j: number,
  x: ArrayLike<number>,
  h: ArrayLike<number>,
): number {
  const units = layer.units;
  const columns = layer.bias.length;
  const candidateColumn = 2 * units + j;
  const reset = sigmoid(preActivation(layer, j, x, h));
  const update = sigmoid(preActivation(layer, units + j, x, h));
  let fromInput = layer.bias[candidateColumn]!;
  for (let d = 0; d < layer.inputs; d++) {
    fromInput += x[d]! * layer.inputWeights[d * columns + candidateColumn]!;
  }
  let fromState = layer.recurrentBias![j]!;
  for (let m = 0; m < units; m++) {
    fromState += h[m]! * layer.recurrentWeights[m * columns + candidateColumn]!;
  }
  const candidate = Math.tanh(fromInput + reset * fromState);
  return (1 - update) * candidate + update * h[j]!;
}
