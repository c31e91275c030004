import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { OpenUnits } from "./gate-scan.ts";
import { isTriangular, openRatioMin, openRatioOf, type SequenceOp } from "./sequence-op.ts";

/**
 * Adds the derivatives by θ, σ and ρ, exact almost everywhere (spec 1.5). With φ = frac(t/τ − σ),
 * τ = e^θ: dφ/dθ = −t/τ, dφ/dσ = −1; dk/dφ = ±2/r_on, dk/dr_on = ∓2φ/r_on², or α and 0 if closed.
 *
 * @param kGradient derivative of the loss by k of each entry of `open`
 * @param events events of the batch
 */
export function backwardGates(
  op: SequenceOp,
  open: OpenUnits,
  kGradient: FloatArray,
  events: number,
): void {
  const { shape, parameters, gradients, batch } = op;
  if (!isTriangular(shape.gate)) return;
  const period = parameters.logPeriod.map(Math.exp);
  const openRatio = parameters.openLogit.map(openRatioOf);
  for (let n = 0; n < events; n++) {
    for (let e = open.start[n]!; e < open.start[n + 1]!; e++) {
      const u = open.unit[e]!;
      const r = openRatio[u]!;
      const phi = open.phi[e]!;
      const slope = phi < r / 2 ? 2 / r : phi < r ? -2 / r : op.leak;
      const phiGradient = kGradient[e]! * slope;
      gradients.logPeriod[u]! -= (phiGradient * batch.timeUs[n]!) / period[u]!;
      gradients.shift[u]! -= phiGradient;
      if (phi < r) {
        gradients.openLogit[u]! -= ((phiGradient * phi) / r) * openRatioByLogit(r);
      }
    }
  }
}

/** dr_on/dρ = (1 − r_min) p (1 − p) with p = (r_on − r_min) / (1 − r_min). */
export function openRatioByLogit(openRatio: number): number {
  const share = (openRatio - openRatioMin) / (1 - openRatioMin);
  return (openRatio - openRatioMin) * (1 - share);
}
