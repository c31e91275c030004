import type { FloatArray } from "../../cells/kernels/kernel.ts";

/** Row of a source that has not spoken since the batch began: what it held before. */
export const carriedRow = -1;
/** Row of a source that is silent where silence counts as zero. */
export const silentRow = -2;

/**
 * What a sensor or layer put out during a batch, row by row, and its gradient.
 *
 * A reader refers to rows by number: a silent source is held, so many rows of a reader may see one
 * row of its source, whose gradient is their sum.
 */
export interface RowSource {
  readonly size: number;
  /** [rows, size] */
  readonly rows: FloatArray;
  /** [B, size] what was held when the batch began. */
  readonly carried: FloatArray;
  /** [rows, size] derivative of the loss by `rows`; undefined where nothing below learns. */
  readonly gradient: FloatArray | undefined;
}

/** Copies what sequence `b` holds at `row` of `source` to `into[at …]`. */
export function copyHeld(
  into: FloatArray,
  at: number,
  source: RowSource,
  row: number,
  b: number,
): void {
  const { size } = source;
  if (row === silentRow) {
    into.fill(0, at, at + size);
    return;
  }
  const values = row === carriedRow ? source.carried : source.rows;
  const from = (row === carriedRow ? b : row) * size;
  for (let d = 0; d < size; d++) into[at + d] = values[from + d]!;
}

/** Adds `gradient[at …]` times `scale` to that of a row; what came before the batch has none. */
export function addHeldGradient(
  source: RowSource,
  row: number,
  gradient: FloatArray,
  at: number,
  scale: number,
): void {
  if (row < 0 || source.gradient === undefined) return;
  const { size } = source;
  const to = row * size;
  for (let d = 0; d < size; d++) source.gradient[to + d]! += scale * gradient[at + d]!;
}
