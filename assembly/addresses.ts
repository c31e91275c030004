import { activate } from "./activations";
import { clearPadding, stepDense } from "./kernel";
import { Layer } from "./layer";
import { findOpen } from "./phase-scan";
import { preActivations } from "./pre-activations";

/**
 * Layers whose input is always one of `addresses` known vectors. They have no columns of inputs:
 * what a vector adds to a unit's pre-activations, its bias included, is a row of `table`, f32
 * [unit][address][slot]. A unit stays open for many events, so the rows read lie close together.
 */

/** Makes the rows at `address` of the units listed their biases. */
@inline
function setBiases(
  layer: Layer, units: usize, count: u32, table: usize, addresses: u32, address: u32,
): void {
  const column = table + (<usize>address << 4);
  const unitBytes = <usize>addresses << 4;
  for (let i: usize = 0; i < <usize>count; i++) {
    const unit = <usize>load<u32>(units + (i << 2));
    v128.store(layer.bias + (unit << 4), v128.load(column + unit * unitBytes));
  }
}

/** step() with the input at `address`. */
export function stepAddress(
  layer: Layer, state: usize, timeUs: f64, table: usize, addresses: u32, address: u32,
): u32 {
  const count = findOpen(layer, timeUs);
  if (count == 0) return 0;
  setBiases(layer, layer.openUnits, count, table, addresses, address);
  clearPadding(layer, state);
  const c = state + (<usize>layer.columns << 2);
  preActivations(layer, state, layer.openUnits, count);
  activate(layer, layer.openUnits, layer.openness, count, c, state, c, state);
  return count;
}

/** stepDense() with the input at `address`. */
export function stepDenseAddress(
  layer: Layer, state: usize, timeUs: f64, table: usize, addresses: u32, address: u32,
): u32 {
  setBiases(layer, layer.allUnits, layer.units, table, addresses, address);
  return stepDense(layer, state, timeUs);
}

/** Events whose rows are asked for together. */
const TOUCHED_EVENTS: usize = 4;

/**
 * Reads the rows of the next events for the units that were open last, and uses them for nothing. A
 * processor waits for one row as long as for all of them at once; nearly always the same units are
 * open in events so close together.
 */
@inline
function touchRows(layer: Layer, count: u32, table: usize, addresses: u32, events: usize): void {
  const unitBytes = <usize>addresses << 4;
  const a = table + (<usize>load<u32>(events) << 4);
  const b = table + (<usize>load<u32>(events, 4) << 4);
  const c = table + (<usize>load<u32>(events, 8) << 4);
  const d = table + (<usize>load<u32>(events, 12) << 4);
  let sum: u32 = 0;
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    const row = <usize>load<u32>(layer.openUnits + i) * unitBytes;
    sum += load<u32>(a + row) + load<u32>(b + row) + load<u32>(c + row) + load<u32>(d + row);
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
  layer: Layer, state: usize, timesUs: usize, events: usize, table: usize, addresses: u32,
  count: u32,
): u32 {
  let open: u32 = 0;
  let last: u32 = 0;
  for (let n: usize = 0; n < <usize>count; n++) {
    const timeUs = load<f64>(timesUs + (n << 3));
    const event = events + (n << 2);
    if ((n & (TOUCHED_EVENTS - 1)) == 0 && n + TOUCHED_EVENTS <= <usize>count) {
      touchRows(layer, last, table, addresses, event);
    }
    last = stepAddress(layer, state, timeUs, table, addresses, load<u32>(event));
    open += last;
  }
  return open;
}
