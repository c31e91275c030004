import { addFloats, clearFloats, copyFloats } from "./floats";
import * as at from "./layout";
import { sortChunk } from "./rows/chunk";
import { addChunkGradients } from "./rows/row-gradients";
import { addViewGradients } from "./rows/view-gradients";
import { addWholeChunkGradients } from "./rows/whole-row-gradients";
import { addWholeViewGradients } from "./rows/whole-view-gradients";
import { beginSequences, eventAt, isRead, isWhole, steps, writeInputs } from "./sequences";
import { backwardUnits, backwardWholeUnits } from "./units/backward-units";

/**
 * All sequences side by side, from the last events to the first. The gradient of the rows is an
 * outer product for every entry: the v of some steps are kept, and their entries then added unit by
 * unit.
 *
 * @param oscillates whether k depends on the phase
 */
export function backward(layout: usize, sequences: i32, leak: f64, oscillates: bool): void {
  const stepBytes = sequences * at.viewBytes(layout);
  const chunkSteps = (at.chunkEventsMax(layout) as i32) / sequences;
  beginSequences(layout, sequences);
  memory.fill(at.vGradient(layout), 0, stepBytes);
  memory.fill(at.cGradient(layout), 0, stepBytes);
  let kept = 0;
  let keptWhole = 0;
  for (let step = steps(layout, sequences) - 1; step >= 0; step--) {
    const active = beginStep(layout, sequences, step);
    const first = at.firstEntryOf(layout, step);
    const last = at.firstEntryOf(layout, step + 1);
    const whole = isWhole(layout, first, last, active) ? active : 0;
    if (kept == chunkSteps || whole != keptWhole) {
      addChunk(layout, step + 1, kept, stepBytes, keptWhole, leak, oscillates);
      kept = 0;
      keptWhole = whole;
    }
    const views = at.chunkViews(layout) + kept * stepBytes;
    kept++;
    if (whole > 0) {
      backwardWholeUnits(layout, first, active);
      keepViews(layout, views, first, active);
      addWholeViewGradients(layout, first, active);
    } else {
      backwardUnits(layout, first, last);
      memory.copy(views, at.v(layout), stepBytes);
      addViewGradients(layout, first, last);
    }
    endStep(layout, sequences, step);
  }
  addChunk(layout, 0, kept, stepBytes, keptWhole, leak, oscillates);
}

/**
 * Adds the gradients of `kept` steps from `step` on.
 *
 * @param whole sequences of each of them where all units are listed, else 0
 */
function addChunk(
  layout: usize,
  step: i32,
  kept: i32,
  stepBytes: i32,
  whole: i32,
  leak: f64,
  oscillates: bool,
): void {
  if (whole > 0) {
    addWholeChunkGradients(layout, step, kept, stepBytes, whole, leak, oscillates);
  } else {
    sortChunk(layout, step, kept, stepBytes);
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

/**
 * What the caller knows of event `step`: its inputs, and the derivative by its h.
 *
 * @returns sequences that have it
 */
function beginStep(layout: usize, sequences: i32, step: i32): i32 {
  let active = 0;
  const units = at.units(layout);
  const byV = at.vGradient(layout) - at.v(layout);
  for (let b = 0; b < sequences; b++) {
    const n = eventAt(layout, b, step);
    if (n < 0) continue;
    active++;
    writeInputs(layout, b, n);
    const gradient = at.viewOf(layout, b) + byV;
    clearFloats(gradient + (units << 2), at.length(layout) - units);
    if (isRead(layout, b, n)) addFloats(gradient, at.hGradient(layout) + ((n * units) << 2), units);
  }
  return active;
}

function endStep(layout: usize, sequences: i32, step: i32): void {
  const inputs = at.inputs(layout);
  const toInputs = at.vGradient(layout) - at.v(layout) + (at.units(layout) << 2);
  for (let b = 0; b < sequences; b++) {
    const n = eventAt(layout, b, step);
    if (n < 0) continue;
    const target = at.xGradient(layout) + ((n * inputs) << 2);
    copyFloats(target, at.viewOf(layout, b) + toInputs, inputs);
  }
}
