import * as at from "./layout";
import { sigmoid4 } from "./sigmoid";

/**
 * Eqs. 1-5 of entries `first` to `last` of one event: gates in the place of their z. Four units side
 * by side, since an exponential takes as long for one as for four; the last one fills empty places.
 */
export function activate(layout: usize, v: usize, c: usize, first: usize, last: usize): void {
  const final = last - 1;
  for (let e = first; e < last; e += 4) {
    activateFour(layout, v, c, e, min(e + 1, final), min(e + 2, final), min(e + 3, final));
  }
}

@inline
function activateFour(
  layout: usize,
  v: usize,
  c: usize,
  p: usize,
  q: usize,
  r: usize,
  s: usize,
): void {
  const unit = at.unit(layout);
  const up = load<u32>(unit + (p << 2)) << 2;
  const uq = load<u32>(unit + (q << 2)) << 2;
  const ur = load<u32>(unit + (r << 2)) << 2;
  const us = load<u32>(unit + (s << 2)) << 2;
  const gates = at.gates(layout);
  const zp = v128.load(gates + (p << 4));
  const zq = v128.load(gates + (q << 4));
  const zr = v128.load(gates + (r << 4));
  const zs = v128.load(gates + (s << 4));
  const peephole = at.peepholes(layout);
  const gateBytes = at.units(layout) << 2;
  const cOld = gather(c, up, uq, ur, us);
  const i = sigmoid4(
    f32x4.add(
      transpose0(zp, zq, zr, zs),
      f32x4.mul(gather(peephole, up, uq, ur, us), cOld),
    ),
  );
  const f = sigmoid4(
    f32x4.add(
      transpose1(zp, zq, zr, zs),
      f32x4.mul(gather(peephole + gateBytes, up, uq, ur, us), cOld),
    ),
  );
  const g = tanh4(transpose2(zp, zq, zr, zs));
  const cNew = f32x4.add(f32x4.mul(f, cOld), f32x4.mul(i, g));
  // The gates are blind to the time gate: the peephole of o sees c~ (spec 1.3).
  const o = sigmoid4(
    f32x4.add(
      transpose3(zp, zq, zr, zs),
      f32x4.mul(gather(peephole + 2 * gateBytes, up, uq, ur, us), cNew),
    ),
  );
  storeFour(gates, p, q, r, s, i, f, g, o);
  const hOld = gather(v, up, uq, ur, us);
  storeFour(at.cells(layout), p, q, r, s, cOld, hOld, cNew, tanh4(cNew));
}

/** tanh(x) = 2 sigmoid(2x) − 1. */
@inline
function tanh4(x: v128): v128 {
  return f32x4.sub(f32x4.mul(sigmoid4(f32x4.add(x, x)), f32x4.splat(2)), f32x4.splat(1));
}

@inline
function gather(from: usize, p: usize, q: usize, r: usize, s: usize): v128 {
  return f32x4(load<f32>(from + p), load<f32>(from + q), load<f32>(from + r), load<f32>(from + s));
}

/** Writes four values of each of four units, unit by unit. */
@inline
function storeFour(
  to: usize,
  p: usize,
  q: usize,
  r: usize,
  s: usize,
  a: v128,
  b: v128,
  c: v128,
  d: v128,
): void {
  v128.store(to + (p << 4), transpose0(a, b, c, d));
  v128.store(to + (q << 4), transpose1(a, b, c, d));
  v128.store(to + (r << 4), transpose2(a, b, c, d));
  v128.store(to + (s << 4), transpose3(a, b, c, d));
}

/** Lane 0 of each of four vectors. */
@inline
function transpose0(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<f32>(lowPairs(a, b), lowPairs(c, d), 0, 1, 4, 5);
}

/** Lane 1 of each of four vectors. */
@inline
function transpose1(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<f32>(lowPairs(a, b), lowPairs(c, d), 2, 3, 6, 7);
}

/** Lane 2 of each of four vectors. */
@inline
function transpose2(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<f32>(highPairs(a, b), highPairs(c, d), 0, 1, 4, 5);
}

/** Lane 3 of each of four vectors. */
@inline
function transpose3(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<f32>(highPairs(a, b), highPairs(c, d), 2, 3, 6, 7);
}

@inline
function lowPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

@inline
function highPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}
