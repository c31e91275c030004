import { softmax } from "./softmax.ts";

/**
 * Turns raw outputs into a mixture of K Gaussians over D dimensions with diagonal covariance
 * (Bishop 1994), in place: weights π [K] = softmax, means μ [K, D] as they are, deviations
 * σ [K, D] = e^raw.
 *
 * @param values [K + 2 K D]: π, then μ, then σ
 */
export function mixtureDensity(
  values: Float32Array | Float64Array,
  components: number,
  dimensions: number,
): void {
  softmax(values, 0, components);
  for (let i = components * (1 + dimensions); i < values.length; i++) {
    values[i] = Math.exp(values[i]!);
  }
}

/**
 * −ln p(y) under a mixture from `mixtureDensity`: how surprising `y` is.
 *
 * @param values [K + 2 K D]
 * @param y [D]
 */
export function negativeLogLikelihood(
  values: ArrayLike<number>,
  components: number,
  y: ArrayLike<number>,
): number {
  const dimensions = y.length;
  const logs = new Float64Array(components);
  for (let k = 0; k < components; k++) {
    let log = Math.log(values[k]!);
    for (let d = 0; d < dimensions; d++) {
      const mean = values[components + k * dimensions + d]!;
      const deviation = values[components * (1 + dimensions) + k * dimensions + d]!;
      const distance = (y[d]! - mean) / deviation;
      log -= (distance * distance) / 2 + Math.log(deviation) + Math.log(2 * Math.PI) / 2;
    }
    logs[k] = log;
  }
  const largest = logs.reduce((max, log) => Math.max(max, log));
  return -(largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0)));
}
