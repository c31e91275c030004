import { copyFloats } from "./floats";
import * as at from "./layout";
import { eventOf, firstEventOf, roundsOf, sequenceOf } from "./rounds";
import { multiplyRows } from "./rows/row-products";
import { beginSequences, isRead, writeInputs } from "./sequences";
import { forwardUnits } from "./units/forward-units";

/** Round by round, so that sequences share what is read of a unit. */
export function forward(layout: usize, sequences: i32): void {
  const units = at.units(layout);
  const stateBytes = units << 2;
  beginSequences(layout, sequences);
  for (let b = 0; b < sequences; b++) {
    const c = at.c(layout) + b * at.viewBytes(layout);
    memory.copy(c, at.stateC(layout) + b * stateBytes, stateBytes);
  }
  const rounds = roundsOf(layout);
  for (let round = 0; round < rounds; round++) {
    const begin = firstEventOf(layout, round);
    const end = firstEventOf(layout, round + 1);
    for (let place = begin; place < end; place += 8) {
      writeInputs(layout, sequenceOf(place), eventOf(place));
    }
    const from = at.firstEntryOf(layout, round);
    const to = at.firstEntryOf(layout, round + 1);
    multiplyRows(layout, from, to);
    // All z are known: a new h disturbs nobody.
    forwardUnits(layout, from, to);
    for (let place = begin; place < end; place += 8) {
      const b = sequenceOf(place);
      const n = eventOf(place);
      if (!isRead(layout, b, n)) continue;
      copyFloats(at.h(layout) + n * stateBytes, at.viewOf(layout, b), units);
    }
  }
  for (let b = 0; b < sequences; b++) {
    const c = at.c(layout) + b * at.viewBytes(layout);
    memory.copy(at.stateC(layout) + b * stateBytes, c, stateBytes);
    memory.copy(at.stateH(layout) + b * stateBytes, at.viewOf(layout, b), stateBytes);
  }
}
