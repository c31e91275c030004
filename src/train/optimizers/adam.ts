import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import { kernelsFor } from "../sequence-op/parameter-kernels.ts";
import { likeValues, type Optimizer, type OptimizerSpec } from "./optimizer.ts";

const epsilon = 1e-8;

/** Adam (Kingma & Ba 2015, algorithm 1); with weight decay AdamW (Loshchilov & Hutter 2019). */
export function createAdam(spec: OptimizerSpec, groups: readonly ParameterGroup[]): Optimizer {
  const moments = groups.map((group) => ({
    group,
    mean: likeValues(group),
    square: likeValues(group),
  }));
  return {
    state: new Map(
      moments.flatMap(({ group, mean, square }) => [
        [`${group.name}.mean`, mean] as const,
        [`${group.name}.square`, square] as const,
      ]),
    ),
    step(rate, step) {
      const { momentum, squareDecay } = spec;
      const unbias = Math.sqrt(1 - squareDecay ** (step + 1)) / (1 - momentum ** (step + 1));
      for (const { group, mean, square } of moments) {
        const groupRate = rate * group.rateFactor;
        const keep = group.decays ? 1 - groupRate * spec.weightDecay : 1;
        updateGroup(group, mean, square, { spec, rate: groupRate * unbias, keep });
      }
    },
  };
}

function updateGroup(
  { values, gradient }: ParameterGroup,
  mean: FloatArray,
  square: FloatArray,
  step: { readonly spec: OptimizerSpec; readonly rate: number; readonly keep: number },
): void {
  const { momentum, squareDecay } = step.spec;
  const { rate, keep } = step;
  const kernels = kernelsFor([values, gradient, mean, square]);
  if (kernels !== undefined) {
    kernels.stepAdam(
      values.byteOffset,
      gradient.byteOffset,
      mean.byteOffset,
      square.byteOffset,
      values.length,
      momentum,
      1 - momentum,
      squareDecay,
      1 - squareDecay,
      rate,
      keep,
    );
    return;
  }
  for (let m = 0; m < values.length; m++) {
    const g = gradient[m]!;
    const first = momentum * mean[m]! + (1 - momentum) * g;
    const second = squareDecay * square[m]! + (1 - squareDecay) * g * g;
    mean[m] = first;
    square[m] = second;
    values[m] = keep * values[m]! - (rate * first) / (Math.sqrt(second) + epsilon);
    gradient[m] = 0;
  }
}
