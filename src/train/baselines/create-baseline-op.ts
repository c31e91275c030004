import type { Random } from "../../sensors/random.ts";
import {
  type MatrixArithmetic,
  referenceArithmetic,
  wasmArithmetic,
} from "../matrix/matrix-arithmetic.ts";
import type { WeightInitializer } from "../network/recurrent-layer.ts";
import type { SequenceOpName } from "../sequence-op/create-sequence-op.ts";
import type { SequenceLimits } from "../sequence-op/sequence-op.ts";
import type { BaselineOp, BaselineShape } from "./baseline-op.ts";
import { batchNormLstmFloats, createBatchNormLstmOp } from "./batch-norm-lstm-op.ts";
import { createRnnOp, rnnFloats } from "./rnn-op.ts";

export type BaselineCell = "bn-lstm" | "tanh-rnn" | "relu-rnn";

/**
 * A layer to compare with, its weights drawn.
 *
 * @param op `wasm` for SIMD, else float64
 */
export function createBaselineOp(
  cell: BaselineCell,
  op: SequenceOpName,
  sizes: { readonly shape: BaselineShape; readonly limits: SequenceLimits },
  initializer: WeightInitializer,
  random: Random,
): BaselineOp {
  const { shape, limits } = sizes;
  const arithmetic = (floats: number): MatrixArithmetic =>
    op === "wasm" ? wasmArithmetic(floats) : referenceArithmetic();
  const layer =
    cell === "bn-lstm"
      ? createBatchNormLstmOp(shape, limits, arithmetic(batchNormLstmFloats(shape, limits)))
      : createRnnOp(
          shape,
          limits,
          cell === "tanh-rnn" ? "tanh" : "relu",
          arithmetic(rnnFloats(shape, limits)),
        );
  layer.weights.initialize(initializer, random);
  return layer;
}
