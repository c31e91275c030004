/**
 * y = b + x W, accumulated in float64 and rounded once per output if `out` is float32.
 *
 * @param out y [C]
 * @param sum scratch [C]
 * @param x input [D]
 * @param weights W [D, C], row-major
 * @param bias b [C]
 */
export function dense(
  out: Float32Array | Float64Array,
  sum: Float64Array,
  x: ArrayLike<number>,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
): void {
  const columns = out.length;
  for (let c = 0; c < columns; c++) sum[c] = bias[c]!;
  for (let d = 0, row = 0; d < x.length; d++, row += columns) {
    const xd = x[d]!;
    for (let c = 0; c < columns; c++) sum[c] = sum[c]! + xd * weights[row + c]!;
  }
  for (let c = 0; c < columns; c++) out[c] = sum[c]!;
}
