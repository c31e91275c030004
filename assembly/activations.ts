import { expOfNegative4 } from "./exp";
import { Layer } from "./layer";

@inline
function one(): v128 {
  return f32x4.splat(1);
}

@inline
function onePlus(x: v128): v128 {
  return f32x4.add(one(), x);
}

@inline
function twice(x: v128): v128 {
  return f32x4.add(x, x);
}

/** The floats of four units. */
@inline
function gather(source: usize, a: usize, b: usize, c: usize, d: usize): v128 {
  let out = v128.load32_zero(source + a);
  out = v128.load_lane<u32>(source + b, out, 1);
  out = v128.load_lane<u32>(source + c, out, 2);
  return v128.load_lane<u32>(source + d, out, 3);
}

/** Writes four units; the same one several times gets the same value each time. */
@inline
function scatter(target: usize, value: v128, a: usize, b: usize, c: usize, d: usize): void {
  v128.store_lane<u32>(target + a, value, 0);
  v128.store_lane<u32>(target + b, value, 1);
  v128.store_lane<u32>(target + c, value, 2);
  v128.store_lane<u32>(target + d, value, 3);
}

/** k new + (1 − k) old (Eqs. 8, 10). */
@inline
function mix(k: v128, next: v128, old: v128): v128 {
  return f32x4.add(f32x4.mul(k, next), f32x4.mul(f32x4.sub(one(), k), old));
}

/** Repeats the last unit's pre-activations as the list repeats the unit. */
@inline
function completePreActivations(z: usize, count: u32): void {
  const end = z + (<usize>count << 4);
  const last = v128.load(end - 16);
  v128.store(end, last);
  v128.store(end, last, 16);
  v128.store(end, last, 32);
}

/** The unit at a place of the list, as an offset of its float. */
@inline
function offsetOf(units: usize, place: usize): usize {
  return <usize>load<u32>(units + (place << 2)) << 2;
}

// Four rows become four columns in two steps: halves of two rows, lane by lane, then pairs.

@inline
function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

@inline
function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

@inline
function firstPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 0, 2);
}

@inline
function secondPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 1, 3);
}

/**
 * New c and h of the units listed, four at a time; formulas and their order: lstmCandidates() and
 * gruCandidates() in src/cells/kernels/candidates.ts. The list is completed to whole groups of 4
 * by repeating its last unit. All pre-activations must be there already: `nextH` may be `h` itself.
 *
 * @param count at least 1
 */
export function activate(
  layer: Layer, units: usize, openness: usize, count: u32,
  c: usize, h: usize, nextC: usize, nextH: usize,
): void {
  completePreActivations(layer.z, count);
  if (layer.cell == 1) {
    activateGru(layer.z, units, openness, count, h, nextH);
  } else {
    writeCandidates(layer, units, count, c);
    mixCandidates(layer.z, units, openness, count, h, nextC, nextH);
  }
}

// The loops below ask at their end, not at their beginning, whether to go on: only out of such a
// loop does V8 move what is the same each time, here the constants of exp.

/**
 * First half of the LSTM: makes the pre-activations of four units c~, the sum in the output gate,
 * and the old c. In two loops, so that the chains of dependent operations, which are long, of
 * several groups of units are under way at once.
 */
@inline
function writeCandidates(layer: Layer, units: usize, count: u32, c: usize): void {
  const p = layer.peepholes;
  const end = units + (<usize>count << 2);
  let z = layer.z;
  do {
    const a = offsetOf(units, 0);
    const b = offsetOf(units, 1);
    const d = offsetOf(units, 2);
    const e = offsetOf(units, 3);
    const oldC = gather(c, a, b, d, e);
    const pa = v128.load(p + (a << 2));
    const pb = v128.load(p + (b << 2));
    const pd = v128.load(p + (d << 2));
    const pe = v128.load(p + (e << 2));
    const pLow1 = lowHalves(pa, pb);
    const pLow2 = lowHalves(pd, pe);
    const za = v128.load(z);
    const zb = v128.load(z, 16);
    const zd = v128.load(z, 32);
    const ze = v128.load(z, 48);
    const low1 = lowHalves(za, zb);
    const low2 = lowHalves(zd, ze);
    const high1 = highHalves(za, zb);
    const high2 = highHalves(zd, ze);
    const i = f32x4.add(firstPairs(low1, low2), f32x4.mul(firstPairs(pLow1, pLow2), oldC));
    const f = f32x4.add(secondPairs(low1, low2), f32x4.mul(secondPairs(pLow1, pLow2), oldC));
    const ei = expOfNegative4(i);
    const ef = expOfNegative4(f);
    const eg = expOfNegative4(twice(firstPairs(high1, high2)));
    const kept = f32x4.div(oldC, onePlus(ef));
    const written = f32x4.div(f32x4.sub(one(), eg), f32x4.mul(onePlus(ei), onePlus(eg)));
    const next = f32x4.add(kept, written);
    const po = secondPairs(highHalves(pa, pb), highHalves(pd, pe));
    v128.store(z, next);
    v128.store(z, f32x4.add(secondPairs(high1, high2), f32x4.mul(po, next)), 16);
    v128.store(z, oldC, 32);
    z += 64;
    units += 16;
  } while (units < end);
}

/** Second half of the LSTM, on what writeCandidates() wrote. */
@inline
function mixCandidates(
  z: usize, units: usize, openness: usize, count: u32, h: usize, nextC: usize, nextH: usize,
): void {
  const end = units + (<usize>count << 2);
  do {
    const next = v128.load(z);
    const eo = expOfNegative4(v128.load(z, 16));
    const ec = expOfNegative4(twice(next));
    const out = f32x4.div(f32x4.sub(one(), ec), f32x4.mul(onePlus(eo), onePlus(ec)));
    const a = offsetOf(units, 0);
    const b = offsetOf(units, 1);
    const d = offsetOf(units, 2);
    const e = offsetOf(units, 3);
    const k = v128.load(openness);
    scatter(nextC, mix(k, next, v128.load(z, 32)), a, b, d, e);
    scatter(nextH, mix(k, out, gather(h, a, b, d, e)), a, b, d, e);
    z += 64;
    units += 16;
    openness += 16;
  } while (units < end);
}

function activateGru(
  z: usize, units: usize, openness: usize, count: u32, h: usize, nextH: usize,
): void {
  const end = units + (<usize>count << 2);
  do {
    const a = offsetOf(units, 0);
    const b = offsetOf(units, 1);
    const d = offsetOf(units, 2);
    const e = offsetOf(units, 3);
    const za = v128.load(z);
    const zb = v128.load(z, 16);
    const zd = v128.load(z, 32);
    const ze = v128.load(z, 48);
    const low1 = lowHalves(za, zb);
    const low2 = lowHalves(zd, ze);
    const high1 = highHalves(za, zb);
    const high2 = highHalves(zd, ze);
    const er = expOfNegative4(firstPairs(low1, low2));
    const ez = expOfNegative4(secondPairs(low1, low2));
    const reset = f32x4.div(secondPairs(high1, high2), onePlus(er));
    const en = expOfNegative4(twice(f32x4.add(firstPairs(high1, high2), reset)));
    const oldH = gather(h, a, b, d, e);
    const fresh = f32x4.mul(ez, f32x4.sub(one(), en));
    const held = f32x4.mul(oldH, onePlus(en));
    const next = f32x4.div(f32x4.add(fresh, held), f32x4.mul(onePlus(ez), onePlus(en)));
    scatter(nextH, mix(v128.load(openness), next, oldH), a, b, d, e);
    z += 64;
    units += 16;
    openness += 16;
  } while (units < end);
}
