import { mixtureLoss } from "../network/mixture-loss.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import {
  backwardReadout,
  forwardReadout,
  type Readout,
  readoutGroups,
} from "../network/readout.ts";
import type { HeadPlan } from "./graph-plan.ts";
import { addHeldGradient, copyHeld, type RowSource } from "./held-rows.ts";
import type { LayerInput } from "./trained-layer.ts";

/** A mixture that predicts the next features of a sensor from what layers held before them. */
export interface TrainedDensity {
  readonly name: string;
  readonly plan: HeadPlan;
  readonly components: number;
  readonly readout: Readout;
  /** What it reads, event by event of the sensor. */
  readonly sources: readonly LayerInput[];
  /** Index of the sensor, and its features. */
  readonly sensor: number;
  readonly target: RowSource;
  /** Of each event that is predicted: its row, and its sequence. */
  readonly targetRows: Int32Array;
  readonly sequence: Int32Array;
  readonly outputs: Float64Array;
  readonly outputsGradient: Float64Array;
  readonly held: Float64Array;
  readonly heldGradient: Float64Array;
}

export function trainedDensityGroups({ readout, name, plan }: TrainedDensity): ParameterGroup[] {
  return readoutGroups(readout, name).map((group) => ({ ...group, rateFactor: plan.rateFactor }));
}

/**
 * Sum of −ln p over the predicted events, times the head's weight.
 *
 * @param events of the sensor that are predicted
 * @param scale of the gradients, which are added; 0 for none
 */
export function readDensity(density: TrainedDensity, events: number, scale: number): number {
  const { readout, plan, sources, target, held, heldGradient, outputsGradient } = density;
  let loss = 0;
  for (let n = 0; n < events; n++) {
    const b = density.sequence[n]!;
    let at = 0;
    for (const { source, heldRows } of sources) {
      copyHeld(held, at, source, heldRows[n]!, b);
      at += source.size;
    }
    forwardReadout(density.outputs, readout, held);
    const from = density.targetRows[n]! * target.size;
    const y = target.rows.subarray(from, from + target.size);
    loss += mixtureLoss(
      outputsGradient,
      density.outputs,
      density.components,
      y,
      scale * plan.lossWeight,
    );
    if (scale === 0) continue;
    backwardReadout(heldGradient, readout, held, outputsGradient);
    at = 0;
    for (const { source, heldRows } of sources) {
      addHeldGradient(source, heldRows[n]!, heldGradient, at, 1);
      at += source.size;
    }
  }
  return plan.lossWeight * loss;
}
