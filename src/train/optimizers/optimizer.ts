import type { ParameterGroup } from "../network/parameter-group.ts";
import { floatsBeside } from "../sequence-op/parameter-kernels.ts";

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

/** Zeros of the kind and length of a group's values, beside them in memory. */
export function likeValues({ values }: ParameterGroup): Float32Array | Float64Array {
  return floatsBeside(values, values.length);
}
