import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { Random } from "../../sensors/random.ts";
import { type MatrixArithmetic, paddedColumns } from "../matrix/matrix-arithmetic.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import { recurrentWeight, type WeightInitializer } from "../network/recurrent-layer.ts";
import type { BaselineShape } from "./baseline-op.ts";

/** W, U and b of a layer whose gates lie side by side, with what their gradients need. */
export class LayerWeights {
  /** Columns of a row, gates · H padded; those behind are zero and stay so. */
  readonly columns: number;
  /** U [H, columns], column gate · H + unit. */
  readonly recurrent: FloatArray;
  /** W [I, columns]. */
  readonly input: FloatArray;
  /** b [columns]. */
  readonly bias: FloatArray;
  readonly recurrentGradient: FloatArray;
  readonly inputGradient: FloatArray;
  readonly biasGradient: FloatArray;
  /** Uᵀ [columns, H padded] and Wᵀ [columns, I padded], by `transpose`. */
  readonly recurrentTransposed: FloatArray;
  readonly inputTransposed: FloatArray;
  readonly #shape: BaselineShape;
  readonly #gates: number;

  constructor(shape: BaselineShape, gates: number, arithmetic: MatrixArithmetic) {
    const { units, inputs } = shape;
    const columns = paddedColumns(gates * units);
    const floats = (rows: number, width: number): FloatArray => arithmetic.floats(rows * width);
    this.#shape = shape;
    this.#gates = gates;
    this.columns = columns;
    this.recurrent = floats(units, columns);
    this.input = floats(inputs, columns);
    this.bias = floats(1, columns);
    this.recurrentGradient = floats(units, columns);
    this.inputGradient = floats(inputs, columns);
    this.biasGradient = floats(1, columns);
    this.recurrentTransposed = floats(columns, paddedColumns(units));
    this.inputTransposed = floats(columns, paddedColumns(inputs));
  }

  /** Numbers that the constructor asks for. */
  static floats({ units, inputs }: BaselineShape, gates: number): number {
    const rows = 2 * (units + inputs + 1) + paddedColumns(units) + paddedColumns(inputs);
    return rows * paddedColumns(gates * units);
  }

  initialize(initializer: WeightInitializer, random: Random): void {
    const { units, inputs } = this.#shape;
    for (let gate = 0; gate < this.#gates; gate++) {
      for (let u = 0; u < units; u++) {
        const column = gate * units + u;
        for (let m = 0; m < units; m++) {
          const weight = recurrentWeight(initializer, random, m === u);
          this.recurrent[m * this.columns + column] = weight;
        }
        for (let m = 0; m < inputs; m++) {
          this.input[m * this.columns + column] = initializer.input * random.normal();
        }
        this.bias[column] = this.#gates === 1 ? 0 : initializer.bias[gate]!;
      }
    }
  }

  get groups(): readonly ParameterGroup[] {
    const { recurrent, input, bias, recurrentGradient, inputGradient, biasGradient } = this;
    const group = (name: string, values: FloatArray, gradient: FloatArray, decays: boolean) => {
      return { name: `layer.${name}`, values, gradient, rateFactor: 1, decays };
    };
    return [
      group("recurrent", recurrent, recurrentGradient, true),
      group("input", input, inputGradient, true),
      group("bias", bias, biasGradient, false),
    ];
  }

  /** After the weights have moved, before `backward`. */
  transpose(): void {
    const { units, inputs } = this.#shape;
    transposeInto(this.recurrentTransposed, this.recurrent, units, this.columns);
    transposeInto(this.inputTransposed, this.input, inputs, this.columns);
  }
}

/** `source` [rows, columns] into `target` [columns, rows padded]. */
function transposeInto(
  target: FloatArray,
  source: FloatArray,
  rows: number,
  columns: number,
): void {
  const width = paddedColumns(rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      target[column * width + row] = source[row * columns + column]!;
    }
  }
}
