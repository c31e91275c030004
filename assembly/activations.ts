import { expOfNegative4 } from "./exp";
import { Layer } from "./layer";
import { candidateC, candidateH, mix, one, onePlus, twice } from "./lstm";
import { firstPairs, gather, highHalves, lowHalves, scatter, secondPairs } from "./transpose";

/** Repeats the last unit's pre-activations as the list repeats the unit. */
@inline
export function completePreActivations(z: usize, count: u32): void {
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
    const next = candidateC(i, f, firstPairs(high1, high2), oldC);
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
    const out = candidateH(next, v128.load(z, 16));
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
