import { activate } from "./activations";
import { Layer } from "./layer";
import { findOpen } from "./phase-scan";
import { preActivations } from "./pre-activations";

export { findOpen };
export { packWeights } from "./pack-weights";
export { preWarm } from "./pre-warm";
export { runAddresses, stepAddress, stepDenseAddress } from "./addresses";

/** A weight of 0 times NaN is NaN: what somebody left in the padding must not reach a sum. */
@inline
export function clearPadding(layer: Layer, v: usize): void {
  const endH = v + (<usize>layer.paddedUnits << 2);
  for (let at = v + (<usize>layer.units << 2); at < endH; at += 4) store<f32>(at, 0);
  const endX = v + (<usize>layer.columns << 2);
  for (let at = endH + (<usize>layer.inputs << 2); at < endX; at += 4) store<f32>(at, 0);
}

/**
 * One event.
 *
 * @param state v = [h | x], then c
 * @returns the number of open units, listed in openUnits
 */
export function step(layer: Layer, state: usize, timeUs: f64): u32 {
  const count = findOpen(layer, timeUs);
  if (count == 0) return 0;
  clearPadding(layer, state);
  const c = state + (<usize>layer.columns << 2);
  preActivations(layer, state, layer.openUnits, count);
  activate(layer, layer.openUnits, layer.openness, count, c, state, c, state);
  return count;
}

/** The same by evaluating every row and keeping what the gate lets through. */
export function stepDense(layer: Layer, state: usize, timeUs: f64): u32 {
  const count = findOpen(layer, timeUs);
  clearPadding(layer, state);
  preActivations(layer, state, layer.allUnits, layer.units);
  mixOpen(layer, state, count);
  return count;
}

/** Activates all units from their pre-activations and keeps what the gate lets through. */
export function mixOpen(layer: Layer, state: usize, count: u32): void {
  const c = state + (<usize>layer.columns << 2);
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    const unit = <usize>load<u32>(layer.openUnits + i) << 2;
    store<f32>(layer.denseOpenness + unit, load<f32>(layer.openness + i));
  }
  // The list of all units repeats the last one; so must its k.
  const end = layer.denseOpenness + (<usize>layer.units << 2);
  for (let at = end; at < end + 16; at += 4) store<f32>(at, load<f32>(end - 4));
  activate(
    layer, layer.allUnits, layer.denseOpenness, layer.units,
    c, state, layer.denseC, layer.denseH,
  );
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    const unit = <usize>load<u32>(layer.openUnits + i) << 2;
    if (layer.cell == 0) store<f32>(c + unit, load<f32>(layer.denseC + unit));
    store<f32>(state + unit, load<f32>(layer.denseH + unit));
  }
}

/** Copies `length` floats, 16 at a time while there are, never reading or writing past them. */
@inline
function copyFloats(target: usize, source: usize, length: u32): void {
  const end = target + (<usize>length << 2);
  while (target + 64 <= end) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
    v128.store(target, v128.load(source, 32), 32);
    v128.store(target, v128.load(source, 48), 48);
    target += 64;
    source += 64;
  }
  while (target + 16 <= end) {
    v128.store(target, v128.load(source));
    target += 16;
    source += 16;
  }
  while (target < end) {
    store<f32>(target, load<f32>(source));
    target += 4;
    source += 4;
  }
}

/**
 * Events of one stream, one after the other.
 *
 * @param timesUs f64 [count]
 * @param inputs f32 [count][inputs]
 * @param outputs f32 [count][units]: h after each event; 0 if nobody wants it
 * @returns the sum of open units
 */
export function run(
  layer: Layer, state: usize, timesUs: usize, inputs: usize, outputs: usize, count: u32,
): u32 {
  const x = state + (<usize>layer.paddedUnits << 2);
  let open: u32 = 0;
  for (let n: u32 = 0; n < count; n++) {
    copyFloats(x, inputs, layer.inputs);
    open += step(layer, state, load<f64>(timesUs));
    timesUs += 8;
    inputs += <usize>layer.inputs << 2;
    if (outputs) {
      copyFloats(outputs, state, layer.units);
      outputs += <usize>layer.units << 2;
    }
  }
  return open;
}
