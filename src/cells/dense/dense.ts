/**
 * y = b + x W in float64, each sum in the order of x. Two rows of W per pass: the sums are loaded and
 * stored half as often, in the same order.
 *
 * @param y [C]
 * @param x input [D]
 * @param weights W [D, C], row-major
 * @param bias b [C]
 */
export function dense(
  y: Float64Array,
  x: Float64Array,
  weights: Float64Array,
  bias: Float64Array,
): void {
  const columns = y.length;
  const pairs = x.length - (x.length % 2);
  y.set(bias);
  let row = 0;
  for (let d = 0; d < pairs; d += 2) {
    const first = x[d]!;
    const second = x[d + 1]!;
    const next = row + columns;
    for (let c = 0; c < columns; c++) {
      y[c] = y[c]! + first * weights[row + c]! + second * weights[next + c]!;
    }
    row = next + columns;
  }
  for (let d = pairs; d < x.length; d++) {
    const last = x[d]!;
    for (let c = 0; c < columns; c++) y[c] = y[c]! + last * weights[row + c]!;
  }
}
