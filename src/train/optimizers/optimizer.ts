import type { ParameterGroup } from "../network/parameter-group.ts";

/** Takes one step down the gradient. Its state is written to checkpoints by name. */
export interface Optimizer {
  /** Arrays that carry over from step to step, by name; restored by writing into them. */
  readonly state: ReadonlyMap<string, Float32Array | Float64Array>;
  /**
   * Moves all groups and sets their gradients to zero.
   *
   * @param rate learning rate of this step
   * @param step number of steps before this one
   */
  step(rate: number, step: number): void;
}

export interface OptimizerSpec {
  readonly name: "adam" | "rmsprop" | "sgd";
  /** Decoupled weight decay per step, as a share of the rate (AdamW where the name is adam). */
  readonly weightDecay: number;
  /** β₁ of Adam; momentum of SGD; not used by RMSProp. */
  readonly momentum: number;
  /** β₂ of Adam; smoothing of RMSProp; not used by SGD. */
  readonly squareDecay: number;
}

/** An array of the kind and length of a group's values. */
export function likeValues(group: ParameterGroup): Float32Array | Float64Array {
  const { values } = group;
  return values instanceof Float32Array
    ? new Float32Array(values.length)
    : new Float64Array(values.length);
}
