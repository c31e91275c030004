import { addFloats, clearFloats, copyFloats } from "./floats";
import * as at from "./layout";
import { eventOf, firstEventOf, roundsOf, sequenceOf } from "./rounds";
import { sortChunk } from "./rows/chunk";
import { addChunkGradients } from "./rows/row-gradients";
import { addViewGradients } from "./rows/view-gradients";
import { addWholeChunkGradients } from "./rows/whole-row-gradients";
import { addWholeViewGradients } from "./rows/whole-view-gradients";
import { beginSequences, isRead, isWhole, writeInputs } from "./sequences";
import { backwardUnits, backwardWholeUnits } from "./units/backward-units";

/**
 * Round by round, from the last to the first. The gradient of the rows is an outer product for every
 * entry: the v of some rounds are kept, and their entries then added unit by unit.
 *
 * @param oscillates whether k depends on the phase
 */
export function backward(layout: usize, sequences: i32, leak: f64, oscillates: bool): void {
  const roundBytes = sequences * at.viewBytes(layout);
  const chunkRounds = (at.chunkEventsMax(layout) as i32) / sequences;
  beginSequences(layout, sequences);
  memory.fill(at.vGradient(layout), 0, roundBytes);
  memory.fill(at.cGradient(layout), 0, roundBytes);
  let kept = 0;
  let keptWhole = 0;
  for (let round = roundsOf(layout) - 1; round >= 0; round--) {
    const begin = firstEventOf(layout, round);
    const end = firstEventOf(layout, round + 1);
    const active = (end - begin) >> 3;
    beginRound(layout, begin, end);
    const first = at.firstEntryOf(layout, round);
    const last = at.firstEntryOf(layout, round + 1);
    const whole = isWhole(layout, first, last, active) ? active : 0;
    if (kept == chunkRounds || whole != keptWhole) {
      addChunk(layout, round + 1, kept, roundBytes, keptWhole, leak, oscillates);
      kept = 0;
      keptWhole = whole;
    }
    const views = at.chunkViews(layout) + kept * roundBytes;
    kept++;
    if (whole > 0) {
      backwardWholeUnits(layout, first, active);
      keepViews(layout, views, first, active);
      addWholeViewGradients(layout, first, active);
    } else {
      backwardUnits(layout, first, last);
      memory.copy(views, at.v(layout), roundBytes);
      addViewGradients(layout, first, last);
    }
    endRound(layout, begin, end);
  }
  addChunk(layout, 0, kept, roundBytes, keptWhole, leak, oscillates);
}

/**
 * Adds the gradients of `kept` rounds from `round` on.
 *
 * @param whole sequences of each of them where all units are listed, else 0
 */
function addChunk(
  layout: usize,
  round: i32,
  kept: i32,
  roundBytes: i32,
  whole: i32,
  leak: f64,
  oscillates: bool,
): void {
  if (whole > 0) {
    addWholeChunkGradients(layout, round, kept, roundBytes, whole, leak, oscillates);
  } else {
    sortChunk(layout, round, kept, roundBytes);
    addChunkGradients(layout, leak, oscillates);
  }
}

/** Copies v of the sequences of `active` entries from `first` on. */
function keepViews(layout: usize, to: usize, first: usize, active: usize): void {
  const bytes = at.viewBytes(layout);
  for (let e = first; e < first + active; e++, to += bytes) {
    copyFloats(to, at.viewOfEntry(at.entries(layout), e), at.length(layout));
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
