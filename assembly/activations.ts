import { exp4 } from "./exp";
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
function timesMinusTwo(x: v128): v128 {
  return f32x4.mul(f32x4.splat(-2), x);
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

/**
 * New c and h of the units listed, four at a time; formulas and their order: lstmCandidates() and
 * gruCandidates() in src/cells/kernels/candidates.ts. The list is completed to whole groups of 4
 * by repeating its last unit. All pre-activations must be there already: `nextH` may be `h` itself.
 */
export function activate(
  layer: Layer, units: usize, openness: usize, count: u32,
  c: usize, h: usize, nextC: usize, nextH: usize,
): void {
  const isGru = layer.cell == 1;
  const end = <usize>count << 2;
  const p = layer.peepholes;
  const preActivations = layer.z;
  completePreActivations(preActivations, count);
  for (let i: usize = 0; i < end; i += 16) {
    const a = <usize>load<u32>(units + i) << 2;
    const b = <usize>load<u32>(units + i, 4) << 2;
    const d = <usize>load<u32>(units + i, 8) << 2;
    const e = <usize>load<u32>(units + i, 12) << 2;
    const k = v128.load(openness + i);
    const z = preActivations + (i << 2);
    // Transpose: one vector per slot.
    const z0 = v128.load(z);
    const z1 = v128.load(z, 16);
    const z2 = v128.load(z, 32);
    const z3 = v128.load(z, 48);
    const low01 = v128.shuffle<i32>(z0, z1, 0, 4, 1, 5);
    const low23 = v128.shuffle<i32>(z2, z3, 0, 4, 1, 5);
    const high01 = v128.shuffle<i32>(z0, z1, 2, 6, 3, 7);
    const high23 = v128.shuffle<i32>(z2, z3, 2, 6, 3, 7);
    const s0 = v128.shuffle<i32>(low01, low23, 0, 1, 4, 5);
    const s1 = v128.shuffle<i32>(low01, low23, 2, 3, 6, 7);
    const s2 = v128.shuffle<i32>(high01, high23, 0, 1, 4, 5);
    const s3 = v128.shuffle<i32>(high01, high23, 2, 3, 6, 7);
    const oldH = gather(h, a, b, d, e);
    if (isGru) {
      const er = exp4(f32x4.neg(s0));
      const ez = exp4(f32x4.neg(s1));
      const n = f32x4.add(s2, f32x4.div(s3, onePlus(er)));
      const en = exp4(timesMinusTwo(n));
      const fresh = f32x4.mul(ez, f32x4.sub(one(), en));
      const held = f32x4.mul(oldH, onePlus(en));
      const next = f32x4.div(f32x4.add(fresh, held), f32x4.mul(onePlus(ez), onePlus(en)));
      scatter(nextH, mix(k, next, oldH), a, b, d, e);
    } else {
      const oldC = gather(c, a, b, d, e);
      // Four units' peepholes lie four floats apart.
      const pi = gather(p, a << 2, b << 2, d << 2, e << 2);
      const pf = gather(p + 4, a << 2, b << 2, d << 2, e << 2);
      const po = gather(p + 12, a << 2, b << 2, d << 2, e << 2);
      const ei = exp4(f32x4.neg(f32x4.add(s0, f32x4.mul(pi, oldC))));
      const ef = exp4(f32x4.neg(f32x4.add(s1, f32x4.mul(pf, oldC))));
      const eg = exp4(timesMinusTwo(s2));
      const kept = f32x4.div(oldC, onePlus(ef));
      const written = f32x4.div(
        f32x4.sub(one(), eg),
        f32x4.mul(onePlus(ei), onePlus(eg)),
      );
      const next = f32x4.add(kept, written);
      const eo = exp4(f32x4.neg(f32x4.add(s3, f32x4.mul(po, next))));
      const ec = exp4(timesMinusTwo(next));
      const out = f32x4.div(f32x4.sub(one(), ec), f32x4.mul(onePlus(eo), onePlus(ec)));
      scatter(nextC, mix(k, next, oldC), a, b, d, e);
      scatter(nextH, mix(k, out, oldH), a, b, d, e);
    }
  }
}
