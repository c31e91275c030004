import * as at from "../layout";
import { gather, scatter, storeFour, transpose0, transpose1, transpose2, transpose3 } from "./lanes";

/**
 * Derivatives by what Eqs. 1-10 of entries `first` to `last` of one step read, all but rows and
 * peepholes; those by z take the place of the gates. Four side by side; the last fills empty places,
 * which write the same twice.
 */
export function backwardUnits(layout: usize, first: usize, last: usize): void {
  const final = last - 1;
  for (let e = first; e < last; e += 4) {
    backwardFour(layout, e, min(e + 1, final), min(e + 2, final), min(e + 3, final));
  }
}

@inline
function backwardFour(layout: usize, p: usize, q: usize, r: usize, s: usize): void {
  const entries = at.entries(layout);
  const up = at.unitOf(entries, p) << 2;
  const uq = at.unitOf(entries, q) << 2;
  const ur = at.unitOf(entries, r) << 2;
  const us = at.unitOf(entries, s) << 2;
  const byH = at.vGradient(layout) - at.v(layout);
  const hp = at.viewOfEntry(entries, p) + up + byH;
  const hq = at.viewOfEntry(entries, q) + uq + byH;
  const hr = at.viewOfEntry(entries, r) + ur + byH;
  const hs = at.viewOfEntry(entries, s) + us + byH;
  const toC = at.cGradient(layout) - at.vGradient(layout);
  const gates = at.gates(layout);
  const gp = gates + (p << 4);
  const gq = gates + (q << 4);
  const gr = gates + (r << 4);
  const gs = gates + (s << 4);
  const toCells = at.cells(layout) - gates;
  const cp = v128.load(gp + toCells);
  const cq = v128.load(gq + toCells);
  const cr = v128.load(gr + toCells);
  const cs = v128.load(gs + toCells);
  const cOld = transpose0(cp, cq, cr, cs);
  const hOld = transpose1(cp, cq, cr, cs);
  const cNew = transpose2(cp, cq, cr, cs);
  const tanhC = transpose3(cp, cq, cr, cs);
  const o = transpose3(v128.load(gp), v128.load(gq), v128.load(gr), v128.load(gs));
  const dh = gather(hp, hq, hr, hs);
  const dc = gather(hp + toC, hq + toC, hr + toC, hs + toC);
  const byOpen = f32x4.add(
    f32x4.mul(dh, f32x4.sub(f32x4.mul(o, tanhC), hOld)),
    f32x4.mul(dc, f32x4.sub(cNew, cOld)),
  );
  const toK = at.kGradient(layout) - at.k(layout);
  const kp = at.k(layout) + (p << 2);
  const kq = at.k(layout) + (q << 2);
  const kr = at.k(layout) + (r << 2);
  const ks = at.k(layout) + (s << 2);
  scatter(kp + toK, kq + toK, kr + toK, ks + toK, byOpen);
  const one = f32x4.splat(1);
  const k = gather(kp, kq, kr, ks);
  const rest = f32x4.sub(one, k);
  scatter(hp, hq, hr, hs, f32x4.mul(rest, dh));
  const kh = f32x4.mul(k, dh);
  const zo = f32x4.mul(f32x4.mul(kh, tanhC), ofSigmoid(o));
  const ci = at.peepholes(layout);
  const cf = ci + (at.units(layout) << 2);
  const co = cf + (at.units(layout) << 2);
  const byTanh = f32x4.mul(f32x4.mul(kh, o), ofTanh(tanhC));
  const ofO = f32x4.mul(zo, gather(co + up, co + uq, co + ur, co + us));
  const byCell = f32x4.add(f32x4.add(f32x4.mul(k, dc), byTanh), ofO);
  const i = transpose0(v128.load(gp), v128.load(gq), v128.load(gr), v128.load(gs));
  const f = transpose1(v128.load(gp), v128.load(gq), v128.load(gr), v128.load(gs));
  const g = transpose2(v128.load(gp), v128.load(gq), v128.load(gr), v128.load(gs));
  const zi = f32x4.mul(f32x4.mul(byCell, g), ofSigmoid(i));
  const zf = f32x4.mul(f32x4.mul(byCell, cOld), ofSigmoid(f));
  const zg = f32x4.mul(f32x4.mul(byCell, i), ofTanh(g));
  storeFour(gp, gq, gr, gs, zi, zf, zg, zo);
  const ofI = f32x4.mul(zi, gather(ci + up, ci + uq, ci + ur, ci + us));
  const ofF = f32x4.mul(zf, gather(cf + up, cf + uq, cf + ur, cf + us));
  const held = f32x4.add(f32x4.mul(rest, dc), f32x4.mul(byCell, f));
  const before = f32x4.add(f32x4.add(held, ofI), ofF);
  scatter(hp + toC, hq + toC, hr + toC, hs + toC, before);
}

/** Derivative of a sigmoid, from its value. */
@inline
function ofSigmoid(value: v128): v128 {
  return f32x4.mul(value, f32x4.sub(f32x4.splat(1), value));
}

/** Derivative of a tanh, from its value. */
@inline
function ofTanh(value: v128): v128 {
  return f32x4.sub(f32x4.splat(1), f32x4.mul(value, value));
}
