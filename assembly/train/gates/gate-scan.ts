import * as at from "../layout";
import { eventAt, steps } from "../sequences";
import { listAll } from "./all-units";
import { listDue, listOpen } from "./open-units";
import { ROUNDING } from "./openness";

/**
 * Lists units to evaluate, step by step, in a step unit by unit, and counts those that are open and
 * do not only leak. A closed unit is not looked at again before it opens.
 *
 * @param mode 0 triangular gate, 1 square, 2 always open
 * @param all lists closed units too
 * @returns number of entries, −1 if there is not room for all
 */
export function scanGates(layout: usize, sequences: i32, mode: i32, leak: f64, all: bool): i32 {
  const stepStart = at.stepStart(layout);
  const groups: usize = (sequences + 15) >> 4;
  const nextOpen = at.nextOpen(layout);
  for (let place: usize = 0; place < (at.units(layout) * groups) << 6; place += 4) {
    store<f32>(nextOpen + place, -Infinity);
  }
  store<i32>(at.openCount(layout), 0);
  const last = steps(layout, sequences);
  let count = 0;
  for (let step = 0; step < last; step++) {
    store<i32>(stepStart + (step << 2), count);
    writeTimes(layout, sequences, step);
    if (all || mode == 2) {
      count = listAll(layout, sequences, count, mode, leak);
    } else {
      count = listOpen(layout, groups << 4, listDue(layout, groups), count, mode);
    }
    if (count < 0) return -1;
  }
  store<i32>(stepStart + (last << 2), count);
  return count;
}

/** Times of event `step` of all sequences; NaN, which is never due, where there is none. */
function writeTimes(layout: usize, sequences: i32, step: i32): void {
  const dueTimes = at.dueTimes(layout);
  for (let b = 0; b < ((sequences + 15) & ~15); b++) {
    const n = b < sequences ? eventAt(layout, b, step) : -1;
    const time = n < 0 ? NaN : load<f64>(at.timeUs(layout) + (n << 3));
    const rounded = time as f32;
    store<f64>(at.stepTimes(layout) + (b << 3), time);
    store<f32>(dueTimes + (b << 2), rounded + abs(rounded) * ROUNDING);
  }
}
