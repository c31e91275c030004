import { gateCount, type LayerParameters } from "../layer-parameters.ts";
import { SLOTS } from "./packed-layer.ts";

/**
 * Writes what each of A input vectors adds to a layer's pre-activations, b + W x: summed in float64
 * and rounded once, where the plain step rounds every partial sum. Both are within 1e-6 of float64;
 * their bits differ, so a stream must be computed the one way or the other from beginning to end.
 *
 * @param table [H, A, 4] by unit, address and slot; slots as in PackedLayer
 * @param parameters validated
 * @param vectors [A, I]
 */
export function fillAddressTable(
  table: Float32Array,
  parameters: LayerParameters,
  vectors: ArrayLike<number>,
): void {
  const { inputs, units, recurrentBias } = parameters;
  const gates = gateCount(parameters.cell);
  const sums = new Float64Array(gates * units);
  const addresses = vectors.length / inputs;
  for (let a = 0; a < addresses; a++) {
    addInput(sums, parameters, vectors, a * inputs);
    for (let j = 0; j < units; j++) {
      const at = (j * addresses + a) * SLOTS;
      for (let g = 0; g < gates; g++) table[at + g] = sums[g * units + j]!;
      if (recurrentBias !== undefined) table[at + gates] = recurrentBias[j]!;
    }
  }
}

/** b + W x, x being the vector that begins at `from`. */
function addInput(
  sums: Float64Array,
  { inputs, inputWeights, bias }: LayerParameters,
  vectors: ArrayLike<number>,
  from: number,
): void {
  for (let k = 0; k < sums.length; k++) sums[k] = bias[k]!;
  for (let d = 0; d < inputs; d++) {
    const value = vectors[from + d]!;
    const row = d * sums.length;
    for (let k = 0; k < sums.length; k++) sums[k]! += value * inputWeights[row + k]!;
  }
}
