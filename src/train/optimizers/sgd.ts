import type { ParameterGroup } from "../network/parameter-group.ts";
import { likeValues, type Optimizer, type OptimizerSpec } from "./optimizer.ts";

/** Gradient descent with heavy-ball momentum (Polyak 1964) and decoupled weight decay. */
export function createSgd(spec: OptimizerSpec, groups: readonly ParameterGroup[]): Optimizer {
  const velocities = groups.map((group) => ({ group, velocity: likeValues(group) }));
  return {
    state: new Map(
      velocities.map(({ group, velocity }) => [`${group.name}.velocity`, velocity] as const),
    ),
    step(rate) {
      for (const { group, velocity } of velocities) {
        const { values, gradient } = group;
        const groupRate = rate * group.rateFactor;
        const keep = group.decays ? 1 - groupRate * spec.weightDecay : 1;
        for (let m = 0; m < values.length; m++) {
          velocity[m] = spec.momentum * velocity[m]! + gradient[m]!;
          values[m] = keep * values[m]! - groupRate * velocity[m]!;
          gradient[m] = 0;
        }
      }
    },
  };
}
