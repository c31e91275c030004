import { activate } from "./activations";
import { sortByUnit } from "./entries-by-unit";
import * as at from "./layout";
import { multiplyRows } from "./row-products";
import { beginSequences, eventAt, steps, writeInputs } from "./sequences";

/**
 * All sequences go on event by event side by side: the rows of a unit then are read once for all
 * sequences in which it is open.
 */
export function forward(layout: usize, sequences: i32): void {
  const units = at.units(layout);
  beginSequences(layout, sequences);
  const last = steps(layout, sequences);
  for (let step = 0; step < last; step++) {
    multiplyStep(layout, sequences, step);
    for (let b = 0; b < sequences; b++) {
      const n = eventAt(layout, b, step);
      if (n >= 0) finishEvent(layout, b, n);
    }
  }
  for (let b = 0; b < sequences; b++) {
    const h = at.stateH(layout) + ((b * units) << 2);
    memory.copy(h, at.viewOf(layout, b), units << 2);
  }
}

function multiplyStep(layout: usize, sequences: i32, step: i32): void {
  const events = at.stepEvents(layout);
  const views = at.stepViews(layout);
  let count = 0;
  for (let b = 0; b < sequences; b++) {
    const n = eventAt(layout, b, step);
    if (n < 0) continue;
    const v = at.viewOf(layout, b);
    writeInputs(layout, v, n);
    store<i32>(events + (count << 2), n);
    store<u32>(views + (count << 2), v);
    count++;
  }
  sortByUnit(layout, events, views, count);
  multiplyRows(layout);
}

function finishEvent(layout: usize, b: usize, n: usize): void {
  const units = at.units(layout);
  const v = at.viewOf(layout, b);
  const c = at.stateC(layout) + ((b * units) << 2);
  const first: usize = load<i32>(at.start(layout) + (n << 2));
  const last: usize = load<i32>(at.start(layout) + (n << 2), 4);
  if (first != last) {
    activate(layout, v, c, first, last);
    for (let e = first; e < last; e++) openUnit(layout, v, c, e);
  }
  if (n >= load<u32>(at.readFrom(layout) + (b << 2))) {
    memory.copy(at.h(layout) + ((n * units) << 2), v, units << 2);
  }
}

/** Eqs. 8 and 10. */
@inline
function openUnit(layout: usize, v: usize, c: usize, e: usize): void {
  const u: usize = load<u32>(at.unit(layout) + (e << 2));
  const k = load<f32>(at.k(layout) + (e << 2));
  if (k == 0) return;
  const o = load<f32>(at.gates(layout) + (e << 4), 12);
  const cell = at.cells(layout) + (e << 4);
  store<f32>(c + (u << 2), k * load<f32>(cell, 8) + (1 - k) * load<f32>(cell));
  store<f32>(v + (u << 2), k * o * load<f32>(cell, 12) + (1 - k) * load<f32>(cell, 4));
}
