import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { Random } from "../../sensors/random.ts";
import { floatsLike, type RecurrentOp } from "../sequence-op/sequence-op.ts";
import type { ParameterGroup } from "./parameter-group.ts";

/** Linear layer from the pooled h [H] of a sequence to O outputs. */
export interface Readout {
  readonly units: number;
  readonly outputs: number;
  /** [H, O], as in `weights.safetensors`. */
  readonly weights: FloatArray;
  /** [O] */
  readonly bias: FloatArray;
  readonly weightsGradient: FloatArray;
  readonly biasGradient: FloatArray;
}

/**
 * Weights Glorot-uniform, bias 0.
 *
 * @param layer in whose precision it is; read-outs of several layers say how many `units` they read
 */
export function createReadout(
  layer: RecurrentOp,
  outputs: number,
  random: Random,
  units: number = layer.shape.units,
): Readout {
  const bound = Math.sqrt(6 / (units + outputs));
  const weights = floatsLike(layer, units * outputs);
  for (let m = 0; m < weights.length; m++) weights[m] = bound * (2 * random.uniform() - 1);
  return {
    units,
    outputs,
    weights,
    bias: floatsLike(layer, outputs),
    weightsGradient: floatsLike(layer, units * outputs),
    biasGradient: floatsLike(layer, outputs),
  };
}

/** @param name of the read-out in checkpoints */
export function readoutGroups(readout: Readout, name: string = "readout"): ParameterGroup[] {
  return [
    {
      name: `${name}.weight`,
      values: readout.weights,
      gradient: readout.weightsGradient,
      rateFactor: 1,
      decays: true,
    },
    {
      name: `${name}.bias`,
      values: readout.bias,
      gradient: readout.biasGradient,
      rateFactor: 1,
      decays: false,
    },
  ];
}

/** outputs [O] = bias + pooled [H] · weights */
export function forwardReadout(
  outputs: Float64Array,
  readout: Readout,
  pooled: Float64Array,
): void {
  const size = readout.outputs;
  for (let k = 0; k < size; k++) {
    let sum = readout.bias[k]!;
    for (let u = 0; u < readout.units; u++) sum += pooled[u]! * readout.weights[u * size + k]!;
    outputs[k] = sum;
  }
}

/** Adds to the gradients, and writes the derivative by `pooled` to `pooledGradient`. */
export function backwardReadout(
  pooledGradient: Float64Array,
  readout: Readout,
  pooled: Float64Array,
  outputsGradient: Float64Array,
): void {
  const size = readout.outputs;
  for (let k = 0; k < size; k++) readout.biasGradient[k]! += outputsGradient[k]!;
  for (let u = 0; u < readout.units; u++) {
    let sum = 0;
    for (let k = 0; k < size; k++) {
      sum += readout.weights[u * size + k]! * outputsGradient[k]!;
      readout.weightsGradient[u * size + k]! += pooled[u]! * outputsGradient[k]!;
    }
    pooledGradient[u] = sum;
  }
}
