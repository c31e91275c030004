/** What a network is trained for. */
export type LossKind = "cross-entropy" | "squared-error";

/** Loss of one sequence. */
export interface LossResult {
  readonly loss: number;
  /** Whether the largest output is the right class; always true for a regression. */
  readonly correct: boolean;
}

/**
 * Softmax cross-entropy; `outputsGradient` gets the derivative times `scale`.
 *
 * @param outputs logits [O]
 * @param label class 0 … O − 1
 * @param scale 1 / B for the mean over a batch
 */
export function crossEntropy(
  outputsGradient: Float64Array,
  outputs: Float64Array,
  label: number,
  scale: number,
): LossResult {
  let largest = 0;
  outputs.forEach((value, k) => {
    if (value > outputs[largest]!) largest = k;
  });
  let sum = 0;
  for (const value of outputs) sum += Math.exp(value - outputs[largest]!);
  outputs.forEach((value, k) => {
    const probability = Math.exp(value - outputs[largest]!) / sum;
    outputsGradient[k] = scale * (probability - (k === label ? 1 : 0));
  });
  const loss = Math.log(sum) + outputs[largest]! - outputs[label]!;
  return { loss, correct: largest === label };
}

/** Squared error of the one output [1]. */
export function squaredError(
  outputsGradient: Float64Array,
  outputs: Float64Array,
  target: number,
  scale: number,
): LossResult {
  const difference = outputs[0]! - target;
  outputsGradient[0] = 2 * scale * difference;
  return { loss: difference * difference, correct: true };
}
