import type { FloatArray } from "../../cells/kernels/kernel.ts";

/** Parameters that are learned alike, as an optimizer sees them. */
export interface ParameterGroup {
  /** Name in checkpoints and logs. */
  readonly name: string;
  readonly values: FloatArray;
  /** Derivative of the loss by `values`, the same length. */
  readonly gradient: FloatArray;
  /** What the learning rate is multiplied with; 0 freezes the group. */
  readonly rateFactor: number;
  /** Whether weight decay applies: to matrices, not to biases and gates. */
  readonly decays: boolean;
}
