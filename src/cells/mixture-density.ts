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
  // ln Σ e^log, component by component, relative to the largest so far.
  let largest = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let k = 0; k < components; k++) {
    let log = Math.log(values[k]!);
    for (let d = 0; d < dimensions; d++) {
      const mean = values[components + k * dimensions + d]!;
      const deviation = values[components * (1 + dimensions) + k * dimensions + d]!;
      const distance = (y[d]! - mean) / deviation;
      log -= (distance * distance) / 2 + Math.log(deviation) + halfLogTwoPi;
    }
    if (log > largest) {
      sum = sum * Math.exp(largest - log) + 1;
      largest = log;
    } else if (log > Number.NEGATIVE_INFINITY) sum += Math.exp(log - largest);
  }
  return -(largest + Math.log(sum));
}

const halfLogTwoPi: number = Math.log(2 * Math.PI) / 2;
