import * as at from "../layout";
import { gather, scatter, storeFour, transpose0, transpose1, transpose2, transpose3 } from "./lanes";
import { sigmoid4 } from "./sigmoid";

/**
 * Eqs. 1-5, 8 and 10 of entries `first` to `last` of one step: gates in the place of their z. Four
 * side by side, since an exponential takes as long for one as for four; the last fills empty places.
 */
export function forwardUnits(layout: usize, first: usize, last: usize): void {
  const final = last - 1;
  for (let e = first; e < last; e += 4) {
    forwardFour(layout, e, min(e + 1, final), min(e + 2, final), min(e + 3, final));
  }
}

@inline
function forwardFour(layout: usize, p: usize, q: usize, r: usize, s: usize): void {
  const entries = at.entries(layout);
  const up = at.unitOf(entries, p) << 2;
  const uq = at.unitOf(entries, q) << 2;
  const ur = at.unitOf(entries, r) << 2;
  const us = at.unitOf(entries, s) << 2;
  const hp = at.viewOfEntry(entries, p) + up;
  const hq = at.viewOfEntry(entries, q) + uq;
  const hr = at.viewOfEntry(entries, r) + ur;
  const hs = at.viewOfEntry(entries, s) + us;
  const toC = at.c(layout) - at.v(layout);
  const gates = at.gates(layout);
  const gp = gates + (p << 4);
  const gq = gates + (q << 4);
  const gr = gates + (r << 4);
  const gs = gates + (s << 4);
  const zp = v128.load(gp);
  const zq = v128.load(gq);
  const zr = v128.load(gr);
  const zs = v128.load(gs);
  const ci = at.peepholes(layout);
  const cf = ci + (at.units(layout) << 2);
  const co = cf + (at.units(layout) << 2);
  const cOld = gather(hp + toC, hq + toC, hr + toC, hs + toC);
  const ofI = f32x4.mul(gather(ci + up, ci + uq, ci + ur, ci + us), cOld);
  const i = sigmoid4(f32x4.add(transpose0(zp, zq, zr, zs), ofI));
  const ofF = f32x4.mul(gather(cf + up, cf + uq, cf + ur, cf + us), cOld);
  const f = sigmoid4(f32x4.add(transpose1(zp, zq, zr, zs), ofF));
  const g = tanh4(transpose2(zp, zq, zr, zs));
  const cNew = f32x4.add(f32x4.mul(f, cOld), f32x4.mul(i, g));
  // The gates are blind to the time gate: the peephole of o sees c~ (spec 1.3).
  const ofO = f32x4.mul(gather(co + up, co + uq, co + ur, co + us), cNew);
  const o = sigmoid4(f32x4.add(transpose3(zp, zq, zr, zs), ofO));
  storeFour(gp, gq, gr, gs, i, f, g, o);
  const hOld = gather(hp, hq, hr, hs);
  const tanhC = tanh4(cNew);
  const toCells = at.cells(layout) - gates;
  storeFour(gp + toCells, gq + toCells, gr + toCells, gs + toCells, cOld, hOld, cNew, tanhC);
  const kAt = at.k(layout);
  const k = gather(kAt + (p << 2), kAt + (q << 2), kAt + (r << 2), kAt + (s << 2));
  const rest = f32x4.sub(f32x4.splat(1), k);
  const c = f32x4.add(f32x4.mul(k, cNew), f32x4.mul(rest, cOld));
  scatter(hp + toC, hq + toC, hr + toC, hs + toC, c);
  const h = f32x4.add(f32x4.mul(f32x4.mul(k, o), tanhC), f32x4.mul(rest, hOld));
  scatter(hp, hq, hr, hs, h);
}

/** tanh(x) = 2 sigmoid(2x) − 1. */
@inline
function tanh4(x: v128): v128 {
  return f32x4.sub(f32x4.mul(sigmoid4(f32x4.add(x, x)), f32x4.splat(2)), f32x4.splat(1));
}
