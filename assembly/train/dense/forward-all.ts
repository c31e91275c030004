import * as at from "../layout";
import { roundsOf } from "../rounds";
import { forwardLanes } from "./forward-lanes";
import { gatherTimes } from "./lane-openness";
import { multiplyLanes, packRows } from "./lane-products";
import { beginCells, beginLanes, endLanes, writeInputLanes, writeOutputs } from "./lane-state";
import { activeIn } from "./lanes-of";
import { planLanes } from "./plan-lanes";

/**
 * What scanGates and forward do, where every unit is evaluated at every event.
 *
 * @param mode 0 triangular gate, 1 square, 2 always open
 * @returns units that are open and do not only leak
 */
export function forwardAll(layout: usize, sequences: i32, mode: i32, leak: f64): i32 {
  planLanes(layout, sequences);
  const rounds = roundsOf(layout);
  if (rounds == 0) return 0;
  packRows(layout);
  beginLanes(layout);
  beginCells(layout);
  let open = 0;
  for (let round = 0; round < rounds; round++) {
    const active = activeIn(layout, round);
    gatherTimes(layout, round);
    writeInputLanes(layout, round);
    multiplyLanes(layout, round, active);
    // All z are known: a new h disturbs nobody.
    open += forwardLanes(layout, round, active, mode, leak);
    writeOutputs(layout, round);
  }
  endLanes(layout);
  return open;
}
