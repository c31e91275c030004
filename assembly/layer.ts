/**
 * One layer as the kernel sees it. `wasm-layer.ts` writes the fields in this order; everything up to
 * `epochUs` may be shared by threads, the rest is one thread's own.
 */
@unmanaged
export class Layer {
  units: u32;
  inputs: u32;
  /** Where x starts in v = [h | x]. */
  paddedUnits: u32;
  /** Length of v. */
  columns: u32;
  /** 0 LSTM, 1 GRU. */
  cell: u32;
  /** 0 always open, 1 triangle, 2 square. */
  gate: u32;
  /** f32 [unit][column / 4][slot][4] */
  blocks: usize;
  /** f32 [unit][slot] */
  bias: usize;
  /** f32 [unit][w_ci, w_cf, 0, w_co] */
  peepholes: usize;
  /** f64 per unit, padded to whole groups of 64: τ, s, 1/τ, r_on (−1 in the padding), 2/r_on. */
  periodUs: usize;
  shiftUs: usize;
  frequency: usize;
  openRatio: usize;
  slope: usize;
  anchorUs: f64;
  epochUs: f64;

  /** Start of the epoch that `bases` belongs to, µs. */
  startUs: f64;
  /** f64 [unit]: phase at the start of the epoch. */
  bases: usize;
  /** f64 [16]: starts of the epochs kept. */
  keptStarts: usize;
  /** f64 [16][units padded to 64] */
  keptBases: usize;
  /**
   * i32 [unit + 8]: open units, ascending, the last one repeated to whole groups of 4; if the gate
   * is always open all units, never written.
   */
  openUnits: usize;
  /** f32 [unit + 8]: their k; never written unless the gate is a triangle. */
  openness: usize;
  /** f32 [unit + 8][slot] */
  z: usize;
  /** i32 [unit + 8]: 0, 1, 2, …, the last one repeated. */
  allUnits: usize;
  /** f32 [unit + 8] each: k, new c and new h of every unit in the dense step. */
  denseOpenness: usize;
  denseC: usize;
  denseH: usize;
  /** Spans of the epoch: that of `coarse`, and the last one that an event was in; NaN for none. */
  coarseSpan: f64;
  lastSpan: f64;
  /** i32 [units padded to 64 / 4][phase, step, limit][4]: see coarse-scan.ts. */
  coarse: usize;
  /** The timing wheel; 0 if the layer always scans. */
  wheel: usize;
  /** Keeps the compiler from leaving out what is read for the cache alone. */
  touched: u32;
}
