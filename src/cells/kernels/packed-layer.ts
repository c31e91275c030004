import { gateCount, type LayerParameters } from "../layer-parameters.ts";

/** Pre-activations a unit has: i, f, g, o for the LSTM cells; r, z, W_n x, U_n h for the GRU. */
export const SLOTS = 4;

/**
 * Sizes of the vector v = [h | x] that a unit's weights are multiplied with: h padded to whole
 * groups of 4, v to whole groups of 8, so that the dot product has no tail.
 */
export interface PackedSizes {
  readonly inputs: number;
  readonly units: number;
  /** Where x starts in v. */
  readonly paddedUnits: number;
  /** Length of v. */
  readonly columns: number;
}

/** Weights of one layer in the order the float32 kernels read them. */
export interface PackedLayer extends PackedSizes {
  /** [unit][column / 4][slot][4]: an open unit is one contiguous stream. Zero in the padding. */
  readonly blocks: Float32Array;
  /** [unit][slot] */
  readonly bias: Float32Array;
  /** [unit][4]: w_ci, w_cf, 0, w_co; all zero for the GRU. */
  readonly peepholes: Float32Array;
}

export function packedSizes(inputs: number, units: number): PackedSizes {
  const paddedUnits = roundUp(units, 4);
  return { inputs, units, paddedUnits, columns: roundUp(paddedUnits + inputs, 8) };
}

/** Rounds `value` up to a multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** @param parameters validated */
export function packLayer(parameters: LayerParameters): PackedLayer {
  const sizes = packedSizes(parameters.inputs, parameters.units);
  const { units, columns } = sizes;
  const blocks = new Float32Array(units * SLOTS * columns);
  for (let j = 0; j < units; j++) {
    for (let slot = 0; slot < SLOTS; slot++) packRow(parameters, sizes, j, slot, blocks);
  }
  return { ...sizes, blocks, bias: packBias(parameters), peepholes: packPeepholes(parameters) };
}

/** @returns PackedLayer.bias */
export function packBias(parameters: LayerParameters): Float32Array {
  const { units, recurrentBias } = parameters;
  const bias = new Float32Array(units * SLOTS);
  const gates = gateCount(parameters.cell);
  for (let j = 0; j < units; j++) {
    for (let g = 0; g < gates; g++) bias[j * SLOTS + g] = parameters.bias[g * units + j]!;
    if (recurrentBias !== undefined) bias[j * SLOTS + 3] = recurrentBias[j]!;
  }
  return bias;
}

/** @returns PackedLayer.peepholes */
export function packPeepholes({ units, peepholes }: LayerParameters): Float32Array {
  const packed = new Float32Array(units * 4);
  if (peepholes === undefined) return packed;
  for (let j = 0; j < units; j++) {
    packed[4 * j] = peepholes[j]!;
    packed[4 * j + 1] = peepholes[units + j]!;
    packed[4 * j + 3] = peepholes[2 * units + j]!;
  }
  return packed;
}

function packRow(
  parameters: LayerParameters,
  sizes: PackedSizes,
  unit: number,
  slot: number,
  blocks: Float32Array,
): void {
  const { inputs, units, paddedUnits, columns } = sizes;
  const { inputWeights, recurrentWeights } = parameters;
  const rowLength = gateCount(parameters.cell) * units;
  const isGru = parameters.cell === "phased-gru";
  // The reset gate of the GRU multiplies U_n h alone, so n takes two slots: 2 for x, 3 for h.
  const gate = isGru ? Math.min(slot, 2) : slot;
  const source = gate * units + unit;
  const target = unit * SLOTS * columns + slot * 4;
  const at = (column: number): number => target + (column >> 2) * 4 * SLOTS + (column & 3);
  if (!(isGru && slot === 2)) {
    for (let m = 0; m < units; m++) blocks[at(m)] = recurrentWeights[m * rowLength + source]!;
  }
  if (!(isGru && slot === 3)) {
    for (let d = 0; d < inputs; d++) {
      blocks[at(paddedUnits + d)] = inputWeights[d * rowLength + source]!;
    }
  }
}
