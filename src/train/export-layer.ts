import type { GateMode } from "../cells/gate.ts";
import type { Tensor } from "../fusion/tensor.ts";
import { openRatioOf, rowIndex, rowLength, type SequenceOp } from "./sequence-op/sequence-op.ts";

/**
 * A trained layer as the tensors of `weights.safetensors` (see `LayerParameters`): columns by gate
 * i, f, g, o; τ and s in µs, float64. Nothing is rounded.
 *
 * @param name of the layer in the graph
 */
export function exportLayer(op: SequenceOp, name: string): Map<string, Tensor> {
  const { units, inputs, gate } = op.shape;
  const { parameters } = op;
  const length = rowLength(op.shape);
  const matrix = (rows: number, from: number): Tensor => {
    const data = new Float32Array(rows * 4 * units);
    for (let m = 0; m < rows; m++) {
      for (let column = 0; column < 4 * units; column++) {
        const block = Math.floor(column / units);
        const index = rowIndex(length, column % units, block, from + m);
        data[m * 4 * units + column] = parameters.rows[index]!;
      }
    }
    return { shape: rows === 1 && from === units + inputs ? [4 * units] : [rows, 4 * units], data };
  };
  const tensors = new Map<string, Tensor>([
    [`${name}.input_weights`, matrix(inputs, units)],
    [`${name}.recurrent_weights`, matrix(units, 0)],
    [`${name}.bias`, matrix(1, units + inputs)],
    [`${name}.peepholes`, { shape: [3, units], data: Float32Array.from(parameters.peepholes) }],
  ]);
  if (isLearnedGate(gate)) {
    const period = parameters.logPeriod.map(Math.exp);
    const vector = (data: Float64Array): Tensor => ({ shape: [units], data });
    tensors.set(`${name}.period_us`, vector(period));
    tensors.set(
      `${name}.shift_us`,
      vector(parameters.shift.map((cycles, u) => (cycles - Math.floor(cycles)) * period[u]!)),
    );
    tensors.set(`${name}.open_ratio`, vector(parameters.openLogit.map(openRatioOf)));
  }
  return tensors;
}

function isLearnedGate(gate: GateMode): boolean {
  return gate === "phase" || gate === "square";
}
