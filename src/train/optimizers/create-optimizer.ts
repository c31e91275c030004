import type { ParameterGroup } from "../network/parameter-group.ts";
import { createAdam } from "./adam.ts";
import type { Optimizer, OptimizerSpec } from "./optimizer.ts";
import { createRmsProp } from "./rms-prop.ts";
import { createSgd } from "./sgd.ts";

/** An optimizer of the groups that are learned at all. */
export function createOptimizer(spec: OptimizerSpec, groups: readonly ParameterGroup[]): Optimizer {
  const learned = groups.filter((group) => group.rateFactor > 0);
  if (spec.name === "adam") return createAdam(spec, learned);
  if (spec.name === "rmsprop") return createRmsProp(spec, learned);
  return createSgd(spec, learned);
}
