import type { GateMode } from "./gate.ts";

/** The recurrent cells. All are row-sparse: a unit's new state needs its own rows only. */
export type CellKind = "phased-lstm" | "lstm" | "phased-gru";

/** Gates (blocks of `units` columns) a cell's weight matrices have. */
export function gateCount(cell: CellKind): 3 | 4 {
  return cell === "phased-gru" ? 3 : 4;
}

/**
 * Learned numbers of one recurrent layer with I inputs, H units and G gates, in the layout that
 * training writes and `weights.safetensors` stores.
 *
 * Columns are grouped by gate: i, f, g (candidate), o for the LSTM cells; r, z, n for the GRU.
 */
export interface LayerParameters {
  readonly cell: CellKind;
  /** I */
  readonly inputs: number;
  /** H */
  readonly units: number;
  readonly gate: GateMode;
  /** α of Eq. 6: training only. Kernels that skip work refuse anything but 0. */
  readonly leak: number;
  /** W [I, G·H], row-major. */
  readonly inputWeights: ArrayLike<number>;
  /** U [H, G·H], row-major. */
  readonly recurrentWeights: ArrayLike<number>;
  /** b [G·H]. */
  readonly bias: ArrayLike<number>;
  /** w_ci, w_cf, w_co [3, H]; all zero for a cell without peepholes. Absent for the GRU. */
  readonly peepholes: ArrayLike<number> | undefined;
  /** b_hn [H] of the GRU: the bias inside the reset product. Absent for the LSTM cells. */
  readonly recurrentBias: ArrayLike<number> | undefined;
  /** τ [H], µs, float64. Empty unless the gate has an oscillator; likewise the next two. */
  readonly periodUs: ArrayLike<number>;
  /** s [H], µs, float64. */
  readonly shiftUs: ArrayLike<number>;
  /** r_on [H], in (0, 1]. */
  readonly openRatio: ArrayLike<number>;
}
