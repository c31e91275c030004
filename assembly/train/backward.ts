import { addFloats, clearFloats, copyFloats } from "./floats";
import * as at from "./layout";
import { sortChunk } from "./rows/chunk";
import { addChunkGradients } from "./rows/row-gradients";
import { addViewGradients } from "./rows/view-gradients";
import { beginSequences, eventAt, isRead, steps, writeInputs } from "./sequences";
import { backwardUnits } from "./units/backward-units";

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
  for (let step = steps(layout, sequences) - 1; step >= 0; step--) {
    beginStep(layout, sequences, step);
    const first = at.firstEntryOf(layout, step);
    const last = at.firstEntryOf(layout, step + 1);
    backwardUnits(layout, first, last);
    restore(layout, first, last);
    memory.copy(at.chunkViews(layout) + kept * stepBytes, at.v(layout), stepBytes);
    addViewGradients(layout, first, last);
    endStep(layout, sequences, step);
    kept++;
    if (kept < chunkSteps && step > 0) continue;
    sortChunk(layout, step, kept, stepBytes);
    addChunkGradients(layout, leak, oscillates);
    kept = 0;
  }
}

/** What the caller knows of event `step`: its inputs, and the derivative by its h. */
function beginStep(layout: usize, sequences: i32, step: i32): void {
  const units = at.units(layout);
  const byV = at.vGradient(layout) - at.v(layout);
  for (let b = 0; b < sequences; b++) {
    const n = eventAt(layout, b, step);
    if (n < 0) continue;
    writeInputs(layout, b, n);
    const gradient = at.viewOf(layout, b) + byV;
    clearFloats(gradient + (units << 2), at.length(layout) - units);
    if (isRead(layout, b, n)) addFloats(gradient, at.hGradient(layout) + ((n * units) << 2), units);
  }
}

/** h as it was before the step. */
function restore(layout: usize, first: usize, last: usize): void {
  const entries = at.entries(layout);
  const cells = at.cells(layout);
  for (let e = first; e < last; e++) {
    const h = at.viewOfEntry(entries, e) + (at.unitOf(entries, e) << 2);
    store<f32>(h, load<f32>(cells + (e << 4), 4));
  }
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
