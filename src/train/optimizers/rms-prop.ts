import type { ParameterGroup } from "../network/parameter-group.ts";
import { likeValues, type Optimizer, type OptimizerSpec } from "./optimizer.ts";

const epsilon = 1e-8;

/** RMSProp (Tieleman & Hinton 2012), with decoupled weight decay. */
export function createRmsProp(spec: OptimizerSpec, groups: readonly ParameterGroup[]): Optimizer {
  const squares = groups.map((group) => ({ group, square: likeValues(group) }));
  return {
    state: new Map(squares.map(({ group, square }) => [`${group.name}.square`, square] as const)),
    step(rate) {
      for (const { group, square } of squares) {
        const { values, gradient } = group;
        const groupRate = rate * group.rateFactor;
        const keep = group.decays ? 1 - groupRate * spec.weightDecay : 1;
        for (let m = 0; m < values.length; m++) {
          const g = gradient[m]!;
          const second = spec.squareDecay * square[m]! + (1 - spec.squareDecay) * g * g;
          square[m] = second;
          values[m] = keep * values[m]! - (groupRate * g) / (Math.sqrt(second) + epsilon);
          gradient[m] = 0;
        }
      }
    },
  };
}
