import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import { kernelsFor } from "../sequence-op/parameter-kernels.ts";

/** Largest gradient that a step may use; Infinity leaves it as it is. */
export interface GradientClipping {
  /** Of the Euclidean norm over all learned parameters. */
  readonly normMax: number;
  /** Of the absolute value of each element. */
  readonly valueMax: number;
}

/**
 * Clips each element, then scales all gradients together (Pascanu, Mikolov & Bengio 2013).
 *
 * @returns the norm before scaling; NaN if a gradient is not a number
 */
export function clipGradients(
  groups: readonly ParameterGroup[],
  { normMax, valueMax }: GradientClipping,
): number {
  let sum = 0;
  for (const { gradient, rateFactor } of groups) {
    if (rateFactor === 0) {
      gradient.fill(0);
      continue;
    }
    if (valueMax < Number.POSITIVE_INFINITY) clipValues(gradient, valueMax);
    sum += squaredNorm(gradient);
  }
  const norm = Math.sqrt(sum);
  if (norm > normMax) {
    const scale = normMax / norm;
    for (const { gradient } of groups) multiply(gradient, scale);
  }
  return norm;
}

function clipValues(gradient: FloatArray, valueMax: number): void {
  for (let m = 0; m < gradient.length; m++) {
    const value = gradient[m]!;
    if (Math.abs(value) > valueMax) gradient[m] = Math.sign(value) * valueMax;
  }
}

function squaredNorm(gradient: FloatArray): number {
  const kernels = kernelsFor([gradient]);
  if (kernels !== undefined) return kernels.squaredNorm(gradient.byteOffset, gradient.length);
  let sum = 0;
  for (let m = 0; m < gradient.length; m++) sum += gradient[m]! * gradient[m]!;
  return sum;
}

function multiply(gradient: FloatArray, factor: number): void {
  const kernels = kernelsFor([gradient]);
  if (kernels !== undefined) {
    kernels.scale(gradient.byteOffset, gradient.length, factor);
    return;
  }
  for (let m = 0; m < gradient.length; m++) gradient[m]! *= factor;
}
