import { activate } from "./activations";
import { AddressLayer } from "./address-layer";
import { mixOpen } from "./kernel";
import { areKept, dropKept, keep, stepKept } from "./kept-units";
import { beginSpan, forgetSpan, isInSpan, updateOpenness } from "./open-span";
import { areApart, sumUnits } from "./open-sums";
import { findOpen } from "./phase-scan";

/** One event of the open units listed. */
function stepListed(a: AddressLayer, state: usize, count: u32, address: u32): void {
  const layer = a.layer;
  const c = state + (<usize>layer.columns << 2);
  sumUnits(a, state, layer.openUnits, count, count, address);
  activate(layer, layer.openUnits, layer.openness, count, c, state, c, state);
}

/** step() with the input at `address`. */
export function stepAddress(a: AddressLayer, state: usize, timeUs: f64, address: u32): u32 {
  const count = findOpen(a.layer, timeUs);
  if (count > 0) stepListed(a, state, count, address);
  return count;
}

/** stepDense() with the input at `address`. */
export function stepDenseAddress(a: AddressLayer, state: usize, timeUs: f64, address: u32): u32 {
  const layer = a.layer;
  const count = findOpen(layer, timeUs);
  if (count == 0) return 0;
  sumUnits(a, state, layer.allUnits, layer.units, count, address);
  mixOpen(layer, state, count);
  return count;
}

/** Events whose rows are asked for together. */
const TOUCHED_EVENTS: usize = 4;

/**
 * Reads the rows of the next events for the units that were open last, and uses them for nothing. A
 * processor waits for one row as long as for all of them at once; nearly always the same units are
 * open in events so close together.
 */
@inline
function touchRows(a: AddressLayer, count: u32, events: usize): void {
  const layer = a.layer;
  const unitBytes = <usize>a.addresses << 4;
  const e = a.table + (<usize>load<u32>(events) << 4);
  const f = a.table + (<usize>load<u32>(events, 4) << 4);
  const g = a.table + (<usize>load<u32>(events, 8) << 4);
  const h = a.table + (<usize>load<u32>(events, 12) << 4);
  let sum: u32 = 0;
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    const row = <usize>load<u32>(layer.openUnits + i) * unitBytes;
    sum += load<u32>(e + row) + load<u32>(f + row) + load<u32>(g + row) + load<u32>(h + row);
  }
  layer.touched = sum;
}

/** One event of a run, whose next one is at `nextUs`. */
@inline
function advance(a: AddressLayer, state: usize, timeUs: f64, nextUs: f64, address: u32): u32 {
  if (isInSpan(a, timeUs)) {
    if (a.count == 0) return 0;
    updateOpenness(a, timeUs);
  } else {
    const count = findKept(a, state, timeUs, nextUs);
    if (a.count == 0) {
      if (count > 0) stepListed(a, state, count, address);
      return count;
    }
  }
  stepKept(a, address);
  return a.count;
}

/** Finds the open units, and keeps them if the next event is to find the same ones. */
function findKept(a: AddressLayer, state: usize, timeUs: f64, nextUs: f64): u32 {
  forgetSpan(a);
  const count = findOpen(a.layer, timeUs);
  const isWorthKeeping = areApart(a, count) && isNextAlike(a, timeUs, nextUs, count);
  if (!areKept(a, count)) {
    dropKept(a, state);
    if (isWorthKeeping && count > 0) keep(a, state, count);
  }
  return count;
}

/** Begins a span if the next event is in it; true if that event at least likely finds the same units. */
function isNextAlike(a: AddressLayer, timeUs: f64, nextUs: f64, count: u32): bool {
  const gapUs = nextUs - timeUs;
  if (!(gapUs >= 0 && gapUs < a.nearUs)) return false;
  // A layer that a wheel may serve is too large to be looked at as a whole.
  if (a.layer.wheel != 0) return true;
  beginSpan(a, timeUs, count);
  if (isInSpan(a, nextUs)) return true;
  forgetSpan(a);
  return false;
}

/**
 * Events of one stream, one after the other. What is kept from one to the next is given back at the
 * end: the bits are those of as many calls of stepAddress().
 *
 * @param timesUs f64 [count]
 * @param events u32 [count]: the address of each
 * @returns the sum of open units
 */
export function runAddresses(
  a: AddressLayer, state: usize, timesUs: usize, events: usize, count: u32,
): u32 {
  let open: u32 = 0;
  let last: u32 = 0;
  forgetSpan(a);
  for (let n: usize = 0; n < <usize>count; n++) {
    const event = events + (n << 2);
    const time = timesUs + (n << 3);
    if ((n & (TOUCHED_EVENTS - 1)) == 0 && n + TOUCHED_EVENTS <= <usize>count) {
      touchRows(a, last, event);
    }
    const nextUs = n + 1 < <usize>count ? load<f64>(time, 8) : Infinity;
    last = advance(a, state, load<f64>(time), nextUs, load<u32>(event));
    open += last;
  }
  dropKept(a, state);
  return open;
}
