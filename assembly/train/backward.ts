import { addFloats, clearFloats, copyFloats } from "./floats";
import * as at from "./layout";
import { eventOf, firstEventOf, roundsOf, sequenceOf } from "./rounds";
import { sortChunk } from "./rows/chunk";
import { addChunkGradients } from "./rows/row-gradients";
import { addViewGradients } from "./rows/view-gradients";
import { beginSequences, isRead, writeInputs } from "./sequences";
import { backwardUnits } from "./units/backward-units";

/**
 * Round by round, from the last to the first. The gradient of the rows is an outer product for every
 * entry: the v of some rounds are kept, and their entries then added unit by unit.
 *
 * @param oscillates whether k depends on the phase
 */
export function backward(layout: usize, sequences: i32, oscillates: bool): void {
  const roundBytes = sequences * at.viewBytes(layout);
  const chunkRounds = (at.chunkEventsMax(layout) as i32) / sequences;
  beginSequences(layout, sequences);
  memory.fill(at.vGradient(layout), 0, roundBytes);
  memory.fill(at.cGradient(layout), 0, roundBytes);
  let kept = 0;
  for (let round = roundsOf(layout) - 1; round >= 0; round--) {
    const begin = firstEventOf(layout, round);
    const end = firstEventOf(layout, round + 1);
    beginRound(layout, begin, end);
    const first = at.firstEntryOf(layout, round);
    const last = at.firstEntryOf(layout, round + 1);
    backwardUnits(layout, first, last);
    memory.copy(at.chunkViews(layout) + kept * roundBytes, at.v(layout), roundBytes);
    addViewGradients(layout, first, last);
    endRound(layout, begin, end);
    kept++;
    if (kept == chunkRounds || round == 0) {
      sortChunk(layout, round, kept, roundBytes);
      addChunkGradients(layout, oscillates);
      kept = 0;
    }
  }
}

/** What the caller knows of the events of a round: their inputs, and the derivatives by their h. */
function beginRound(layout: usize, begin: usize, end: usize): void {
  const units = at.units(layout);
  const byV = at.vGradient(layout) - at.v(layout);
  for (let place = begin; place < end; place += 8) {
    const b = sequenceOf(place);
    const n = eventOf(place);
    writeInputs(layout, b, n);
    const gradient = at.viewOf(layout, b) + byV;
    clearFloats(gradient + (units << 2), at.length(layout) - units);
    if (isRead(layout, b, n)) addFloats(gradient, at.hGradient(layout) + ((n * units) << 2), units);
  }
}

function endRound(layout: usize, begin: usize, end: usize): void {
  const inputs = at.inputs(layout);
  const toInputs = at.vGradient(layout) - at.v(layout) + (at.units(layout) << 2);
  for (let place = begin; place < end; place += 8) {
    const target = at.xGradient(layout) + ((eventOf(place) * inputs) << 2);
    copyFloats(target, at.viewOf(layout, sequenceOf(place)) + toInputs, inputs);
  }
}
