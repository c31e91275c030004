import { activate } from "./activations";
import { AddressLayer, KEPT_MAX } from "./address-layer";
import { areKept, columnOffset, dropKept, keep, stepKept } from "./kept-units";
import { clearPadding, mixOpen } from "./kernel";
import { Layer } from "./layer";
import { beginSpan, forgetSpan, isInSpan, updateOpenness } from "./open-span";
import { findOpen } from "./phase-scan";
import { preActivations } from "./pre-activations";

/**
 * Layers whose input is always one of known vectors. They have no columns of inputs. How an event is
 * summed depends on the units that are open alone, so the bits are the same sparse, dense and in a
 * batch.
 */

/** True if open units are kept together (kept-units.ts); all others are computed as a plain layer's. */
@inline
function isKeepable(layer: Layer, count: u32): bool {
  return layer.cell == 0 && layer.gate != 0 && count <= KEPT_MAX;
}

/** Makes the rows at `address` of the units listed their biases. */
@inline
function setBiases(a: AddressLayer, units: usize, count: u32, address: u32): void {
  const bias = a.layer.bias;
  const column = a.table + (<usize>address << 4);
  const unitBytes = <usize>a.addresses << 4;
  for (let i: usize = 0; i < <usize>count; i++) {
    const unit = <usize>load<u32>(units + (i << 2));
    v128.store(bias + (unit << 4), v128.load(column + unit * unitBytes));
  }
}

/** One event of the open units listed, as in a plain layer. */
function stepPlain(a: AddressLayer, state: usize, count: u32, address: u32): void {
  const layer = a.layer;
  setBiases(a, layer.openUnits, count, address);
  clearPadding(layer, state);
  const c = state + (<usize>layer.columns << 2);
  preActivations(layer, state, layer.openUnits, count);
  activate(layer, layer.openUnits, layer.openness, count, c, state, c, state);
}

/** Finds the open units and keeps them, if they are not kept already. */
function findKept(a: AddressLayer, state: usize, timeUs: f64): u32 {
  const layer = a.layer;
  const count = findOpen(layer, timeUs);
  if (areKept(a, count)) {
    beginSpan(a, timeUs);
    return count;
  }
  dropKept(a, state);
  if (!isKeepable(layer, count)) {
    forgetSpan(a);
    return count;
  }
  if (count > 0) keep(a, state, count);
  beginSpan(a, timeUs);
  return count;
}

/** One of the events between forgetSpan() and dropKept(). */
@inline
function advance(a: AddressLayer, state: usize, timeUs: f64, address: u32): u32 {
  let count = a.count;
  if (isInSpan(a, timeUs)) {
    if (count == 0) return 0;
    updateOpenness(a, timeUs);
  } else {
    count = findKept(a, state, timeUs);
    if (count == 0) return 0;
    if (a.count == 0) {
      stepPlain(a, state, count, address);
      return count;
    }
  }
  stepKept(a, address);
  return count;
}

/** step() with the input at `address`. */
export function stepAddress(a: AddressLayer, state: usize, timeUs: f64, address: u32): u32 {
  forgetSpan(a);
  const count = advance(a, state, timeUs, address);
  dropKept(a, state);
  return count;
}

/** stepDense() with the input at `address`. */
export function stepDenseAddress(a: AddressLayer, state: usize, timeUs: f64, address: u32): u32 {
  const layer = a.layer;
  const count = findOpen(layer, timeUs);
  clearPadding(layer, state);
  if (count > 0 && isKeepable(layer, count)) {
    sumAll(a, state, count, address);
  } else {
    setBiases(a, layer.allUnits, layer.units, address);
    preActivations(layer, state, layer.allUnits, layer.units);
  }
  mixOpen(layer, state, count);
  return count;
}

/** The pre-activations of all units, in the order of kept-units.ts. */
function sumAll(a: AddressLayer, state: usize, count: u32, address: u32): void {
  const layer = a.layer;
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    const h = state + (<usize>load<u32>(layer.openUnits + i) << 2);
    store<f32>(a.h + i, load<f32>(h));
    store<f32>(h, 0);
  }
  for (let j: usize = 0; j < <usize>layer.units << 4; j += 16) {
    v128.store(layer.bias + j, f32x4.splat(0));
  }
  preActivations(layer, state, layer.allUnits, layer.units);
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    store<f32>(state + (<usize>load<u32>(layer.openUnits + i) << 2), load<f32>(a.h + i));
  }
  let row = a.table + (<usize>address << 4);
  let blocks = layer.blocks;
  for (let z = layer.z; z < layer.z + (<usize>layer.units << 4); z += 16) {
    let sum = f32x4.add(v128.load(z), v128.load(row));
    for (let i: usize = 0; i < <usize>count << 2; i += 4) {
      const column = blocks + columnOffset(load<u32>(layer.openUnits + i));
      const weights = f32x4(
        load<f32>(column), load<f32>(column, 16), load<f32>(column, 32), load<f32>(column, 48),
      );
      sum = f32x4.add(sum, f32x4.mul(weights, v128.load32_splat(a.h + i)));
    }
    v128.store(z, sum);
    row += <usize>a.addresses << 4;
    blocks += <usize>layer.columns << 4;
  }
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

/**
 * Events of one stream, one after the other.
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
    if ((n & (TOUCHED_EVENTS - 1)) == 0 && n + TOUCHED_EVENTS <= <usize>count) {
      touchRows(a, last, event);
    }
    last = advance(a, state, load<f64>(timesUs + (n << 3)), load<u32>(event));
    open += last;
  }
  dropKept(a, state);
  return open;
}
