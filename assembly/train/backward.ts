import { sortByUnit } from "./entries-by-unit";
import * as at from "./layout";
import { addRowGradients, addViewGradients } from "./row-gradients";
import { beginSequences, eventAt, steps, writeInputs } from "./sequences";

/**
 * All sequences side by side, from the last events to the first. The gradient of the rows is an
 * outer product for every entry: v of some events is kept, and their entries then added unit by
 * unit, so that a row's gradient is loaded and stored once for many events.
 */
export function backward(layout: usize, sequences: i32): void {
  const chunkMax = at.chunkEventsMax(layout) as i32;
  beginSequences(layout, sequences);
  memory.fill(at.vGradient(layout), 0, (sequences * at.length(layout)) << 2);
  memory.fill(at.cGradient(layout), 0, (sequences * at.units(layout)) << 2);
  let chunk = 0;
  for (let step = steps(layout, sequences) - 1; step >= 0; step--) {
    for (let b = 0; b < sequences; b++) {
      const n = eventAt(layout, b, step);
      if (n < 0) continue;
      if (chunk == chunkMax) {
        addChunk(layout, chunk);
        chunk = 0;
      }
      backwardEvent(layout, b, n, chunk++);
    }
    addStep(layout, sequences, step);
  }
  addChunk(layout, chunk);
}

function addChunk(layout: usize, count: i32): void {
  sortByUnit(layout, at.chunkEvents(layout), at.chunkViewAt(layout), count);
  addRowGradients(layout);
}

/** Derivatives by h and x before event `step` of all sequences. */
function addStep(layout: usize, sequences: i32, step: i32): void {
  const events = at.stepEvents(layout);
  const views = at.stepViews(layout);
  const inputs = at.inputs(layout);
  const inputsAt = at.units(layout) << 2;
  const inputBytes = (at.length(layout) << 2) - inputsAt;
  let count = 0;
  for (let b = 0; b < sequences; b++) {
    const n = eventAt(layout, b, step);
    if (n < 0) continue;
    const vGradient = at.viewGradientOf(layout, b);
    memory.fill(vGradient + inputsAt, 0, inputBytes);
    store<i32>(events + (count << 2), n);
    store<u32>(views + (count << 2), vGradient);
    count++;
  }
  sortByUnit(layout, events, views, count);
  addViewGradients(layout);
  for (let i = 0; i < count; i++) {
    const n: usize = load<i32>(events + (i << 2));
    const xGradient = at.xGradient(layout) + ((n * inputs) << 2);
    memory.copy(xGradient, load<u32>(views + (i << 2)) + inputsAt, inputs << 2);
  }
}

/** @param place where the event's v is kept until its rows are added */
function backwardEvent(layout: usize, b: usize, n: usize, place: usize): void {
  const units = at.units(layout);
  const v = at.viewOf(layout, b);
  const vGradient = at.viewGradientOf(layout, b);
  const rowBytes = at.length(layout) << 2;
  const kept = at.chunkViews(layout) + place * rowBytes;
  store<u32>(at.chunkEvents(layout) + (place << 2), n);
  store<u32>(at.chunkViewAt(layout) + (place << 2), kept);
  if (n >= load<u32>(at.readFrom(layout) + (b << 2))) {
    addTo(vGradient, at.hGradient(layout) + ((n * units) << 2), units);
  }
  const first: usize = load<i32>(at.start(layout) + (n << 2));
  const last: usize = load<i32>(at.start(layout) + (n << 2), 4);
  if (first == last) return;
  writeInputs(layout, v, n);
  const cGradient = at.cGradient(layout) + ((b * units) << 2);
  for (let e = first; e < last; e++) backwardUnit(layout, vGradient, cGradient, e);
  for (let e = first; e < last; e++) {
    const u: usize = load<u32>(at.unit(layout) + (e << 2));
    store<f32>(v + (u << 2), load<f32>(at.cells(layout) + (e << 4), 4));
  }
  memory.copy(kept, v, rowBytes);
}

@inline
function addTo(target: usize, source: usize, count: usize): void {
  for (let m: usize = 0; m < count << 2; m += 4) {
    store<f32>(target + m, load<f32>(target + m) + load<f32>(source + m));
  }
}

@inline
function accumulate(target: usize, value: f32): void {
  store<f32>(target, load<f32>(target) + value);
}

/** Derivatives by what Eqs. 1-10 of one unit read; those by z take the place of its gates. */
function backwardUnit(layout: usize, vGradient: usize, cGradient: usize, e: usize): void {
  const units = at.units(layout);
  const u: usize = load<u32>(at.unit(layout) + (e << 2));
  const peephole = at.peepholes(layout) + (u << 2);
  const peepholeGradient = at.peepholesGradient(layout) + (u << 2);
  const k = load<f32>(at.k(layout) + (e << 2));
  const gate = at.gates(layout) + (e << 4);
  const i = load<f32>(gate);
  const f = load<f32>(gate, 4);
  const g = load<f32>(gate, 8);
  const o = load<f32>(gate, 12);
  const cell = at.cells(layout) + (e << 4);
  const cOld = load<f32>(cell);
  const hOld = load<f32>(cell, 4);
  const cNew = load<f32>(cell, 8);
  const tanhC = load<f32>(cell, 12);
  const dhAt = vGradient + (u << 2);
  const dcAt = cGradient + (u << 2);
  const dh = load<f32>(dhAt);
  const dc = load<f32>(dcAt);
  store<f32>(at.kGradient(layout) + (e << 2), dh * (o * tanhC - hOld) + dc * (cNew - cOld));
  const dzo = k * dh * tanhC * o * (1 - o);
  const dcNew =
    k * dc + k * dh * o * (1 - tanhC * tanhC) + dzo * load<f32>(peephole + (units << 3));
  const dzi = dcNew * g * i * (1 - i);
  const dzf = dcNew * cOld * f * (1 - f);
  const dzg = dcNew * i * (1 - g * g);
  v128.store(gate, f32x4(dzi, dzf, dzg, dzo));
  accumulate(peepholeGradient, dzi * cOld);
  accumulate(peepholeGradient + (units << 2), dzf * cOld);
  accumulate(peepholeGradient + (units << 3), dzo * cNew);
  store<f32>(
    dcAt,
    (1 - k) * dc +
      dcNew * f +
      dzi * load<f32>(peephole) +
      dzf * load<f32>(peephole + (units << 2)),
  );
  store<f32>(dhAt, (1 - k) * dh);
}
