/**
 * Replaces `values[from … to)` by e^v / Σ e^v, shifted by the largest so that nothing overflows.
 */
export function softmax(values: Float32Array | Float64Array, from: number, to: number): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) largest = Math.max(largest, values[i]!);
  let sum = 0;
  for (let i = from; i < to; i++) {
    const exponential = Math.exp(values[i]! - largest);
    values[i] = exponential;
    sum += exponential;
  }
  for (let i = from; i < to; i++) values[i] = values[i]! / sum;
}
