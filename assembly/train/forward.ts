import { copyFloats } from "./floats";
import * as at from "./layout";
import { multiplyRows } from "./rows/row-products";
import { beginSequences, eventAt, isRead, isWhole, steps, writeInputs } from "./sequences";
import { forwardUnits, forwardWholeUnits } from "./units/forward-units";

/** All sequences go on event by event side by side, so that they share what is read of a unit. */
export function forward(layout: usize, sequences: i32): void {
  const units = at.units(layout);
  const stateBytes = units << 2;
  beginSequences(layout, sequences);
  for (let b = 0; b < sequences; b++) {
    const c = at.c(layout) + b * at.viewBytes(layout);
    memory.copy(c, at.stateC(layout) + b * stateBytes, stateBytes);
  }
  const last = steps(layout, sequences);
  for (let step = 0; step < last; step++) {
    let active = 0;
    for (let b = 0; b < sequences; b++) {
      const n = eventAt(layout, b, step);
      if (n < 0) continue;
      active++;
      writeInputs(layout, b, n);
    }
    const from = at.firstEntryOf(layout, step);
    const to = at.firstEntryOf(layout, step + 1);
    multiplyRows(layout, from, to);
    // All z are known: a new h disturbs nobody.
    if (isWhole(layout, from, to, active)) forwardWholeUnits(layout, from, active);
    else forwardUnits(layout, from, to);
    for (let b = 0; b < sequences; b++) {
      const n = eventAt(layout, b, step);
      if (n < 0 || !isRead(layout, b, n)) continue;
      copyFloats(at.h(layout) + n * stateBytes, at.viewOf(layout, b), units);
    }
  }
  for (let b = 0; b < sequences; b++) {
    const c = at.c(layout) + b * at.viewBytes(layout);
    memory.copy(at.stateC(layout) + b * stateBytes, c, stateBytes);
    memory.copy(at.stateH(layout) + b * stateBytes, at.viewOf(layout, b), stateBytes);
  }
}
