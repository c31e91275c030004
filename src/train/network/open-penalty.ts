import { openRatioByLogit } from "../sequence-op/gate-gradients.ts";
import { openRatioOf, type SequenceOp } from "../sequence-op/sequence-op.ts";

/**
 * Adds the derivative of `weight` · mean of r_on over the units: of an oscillator r_on is the share
 * of the time in which it is open, so this is what evaluating it costs.
 */
export function addOpenPenalty(layer: SequenceOp, weight: number): void {
  if (weight === 0) return;
  const { openLogit } = layer.parameters;
  for (let u = 0; u < openLogit.length; u++) {
    const byLogit = openRatioByLogit(openRatioOf(openLogit[u]!));
    layer.gradients.openLogit[u]! += (weight * byLogit) / openLogit.length;
  }
}
