/**
 * −ln p(y) under a mixture of K Gaussians over D dimensions (Bishop 1994), from raw outputs: logits
 * of the weights [K], means [K, D], logarithms of the deviations [K, D]. The outputs' gradient gets
 * the derivative times `scale`:
 *
 *     by logit k    π_k − γ_k             γ_k = π_k N_k(y) / Σ_j π_j N_j(y)
 *     by μ_kd       γ_k (μ_kd − y_d) / σ_kd²
 *     by ln σ_kd    γ_k (1 − (y_d − μ_kd)² / σ_kd²)
 *
 * @param outputs [K + 2 K D]
 * @param y [D]
 */
export function mixtureLoss(
  outputsGradient: Float64Array,
  outputs: Float64Array,
  components: number,
  y: ArrayLike<number>,
  scale: number,
): number {
  const dimensions = y.length;
  const means = components;
  const deviations = components * (1 + dimensions);
  // The gradient's first K numbers are scratch until the end.
  let largestLogit = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < components; k++) largestLogit = Math.max(largestLogit, outputs[k]!);
  let logitSum = 0;
  for (let k = 0; k < components; k++) logitSum += Math.exp(outputs[k]! - largestLogit);
  const logNormal = largestLogit + Math.log(logitSum);
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < components; k++) {
    let log = outputs[k]! - logNormal;
    for (let d = 0; d < dimensions; d++) {
      const logDeviation = outputs[deviations + k * dimensions + d]!;
      const z = (y[d]! - outputs[means + k * dimensions + d]!) / Math.exp(logDeviation);
      log -= (z * z) / 2 + logDeviation + Math.log(2 * Math.PI) / 2;
    }
    outputsGradient[k] = log;
    largest = Math.max(largest, log);
  }
  let sum = 0;
  for (let k = 0; k < components; k++) sum += Math.exp(outputsGradient[k]! - largest);
  const logDensity = largest + Math.log(sum);
  for (let k = 0; k < components; k++) {
    const share = Math.exp(outputsGradient[k]! - logDensity);
    outputsGradient[k] = scale * (Math.exp(outputs[k]! - logNormal) - share);
    for (let d = 0; d < dimensions; d++) {
      const m = k * dimensions + d;
      const deviation = Math.exp(outputs[deviations + m]!);
      const z = (y[d]! - outputs[means + m]!) / deviation;
      outputsGradient[means + m] = (-scale * share * z) / deviation;
      outputsGradient[deviations + m] = scale * share * (1 - z * z);
    }
  }
  return -logDensity;
}
