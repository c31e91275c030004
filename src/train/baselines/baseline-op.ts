import type { ParameterGroup } from "../network/parameter-group.ts";
import type { RecurrentOp } from "../sequence-op/sequence-op.ts";

/** Sizes of a baseline layer. */
export interface BaselineShape {
  /** I */
  readonly inputs: number;
  /** H */
  readonly units: number;
}

/**
 * A recurrent layer that others are compared with: every unit at every event, for training and
 * measuring only. The streaming graph does not run it.
 */
export interface BaselineOp extends RecurrentOp {
  /** Everything a checkpoint holds; what is not learned has the rate factor 0. */
  readonly groups: readonly ParameterGroup[];
}
