import * as at from "../layout";
import { roundsOf } from "../rounds";
import { backwardLanes } from "./backward-lanes";
import { gatherTimes } from "./lane-openness";
import { addRowGradientsOfLanes, keepLanes } from "./lane-row-gradients";
import { addOutputGradients, beginLanes, writeInputGradients, writeInputLanes } from "./lane-state";
import { addViewGradientsOfLanes, packColumns } from "./lane-view-gradients";
import { activeIn, elementBytes, lanesFor } from "./lanes-of";

/**
 * What backward does, where every unit is evaluated at every event: the v of some rounds are kept, and
 * these then added to the gradient of the rows.
 *
 * @param oscillates whether k depends on the phase
 */
export function backwardAll(layout: usize, leak: f64, oscillates: bool): void {
  const rounds = roundsOf(layout);
  if (rounds == 0) return;
  const stateBytes = at.length(layout) * elementBytes(layout);
  packColumns(layout);
  beginLanes(layout);
  memory.fill(at.vGradient(layout), 0, stateBytes);
  memory.fill(at.cGradient(layout), 0, stateBytes);
  let kept: usize = 0;
  for (let round = rounds - 1; round >= 0; round--) {
    const active = activeIn(layout, round);
    gatherTimes(layout, round);
    writeInputLanes(layout, round);
    addOutputGradients(layout, round);
    if (kept + lanesFor(active) > at.chunkEventsMax(layout)) {
      addRowGradientsOfLanes(layout, kept);
      kept = 0;
    }
    backwardLanes(layout, round, active, kept, oscillates, leak);
    addViewGradientsOfLanes(layout, round, active);
    writeInputGradients(layout, round);
    keepLanes(layout, kept, active);
    kept += active;
  }
  addRowGradientsOfLanes(layout, kept);
}
