import * as at from "../layout";
import { gather, scatter, storeFour, transpose0, transpose1, transpose2, transpose3 } from "./lanes";
import { ofSigmoid, ofTanh } from "./sigmoid";

/**
 * Derivatives by what Eqs. 1-10 of entries `first` to `last` of one round read, all but rows and
 * peepholes; those by z take the place of the gates, and h becomes what it was before the step. Four
 * side by side; the last fills empty places, which write the same twice.
 */
export function backwardUnits(layout: usize, first: usize, last: usize): void {
  const entries = at.entries(layout);
  const gates = at.gates(layout);
  const ci = at.peepholes(layout);
  const cf = ci + (at.units(layout) << 2);
  const co = cf + (at.units(layout) << 2);
  const kAt = at.k(layout);
  const toK = at.kGradient(layout) - kAt;
  for (let p = first; p < last; p += 4) {
    const q = min(p + 1, last - 1);
    const r = min(p + 2, last - 1);
    const s = min(p + 3, last - 1);
    const up = at.unitOf(entries, p) << 2;
    const uq = at.unitOf(entries, q) << 2;
    const ur = at.unitOf(entries, r) << 2;
    const us = at.unitOf(entries, s) << 2;
    const kp = kAt + (p << 2);
    const kq = kAt + (q << 2);
    const kr = kAt + (r << 2);
    const ks = kAt + (s << 2);
    const byK = backwardFour(
      layout,
      gates + (p << 4),
      gates + (q << 4),
      gates + (r << 4),
      gates + (s << 4),
      at.viewOfEntry(entries, p) + up,
      at.viewOfEntry(entries, q) + uq,
      at.viewOfEntry(entries, r) + ur,
      at.viewOfEntry(entries, s) + us,
      gather(ci + up, ci + uq, ci + ur, ci + us),
      gather(cf + up, cf + uq, cf + ur, cf + us),
      gather(co + up, co + uq, co + ur, co + us),
      gather(kp, kq, kr, ks),
    );
    scatter(kp + toK, kq + toK, kr + toK, ks + toK, byK);
  }
}

/**
 * @param gp gates of the first of four units, which the derivatives by its z replace
 * @param hp its h; its c and the derivatives by both lie as far behind as those of all
 * @param wi peepholes of the four, and `k` their openness
 * @returns derivatives by k
 */
@inline
function backwardFour(
  layout: usize,
  gp: usize,
  gq: usize,
  gr: usize,
  gs: usize,
  hp: usize,
  hq: usize,
  hr: usize,
  hs: usize,
  wi: v128,
  wf: v128,
  wo: v128,
  k: v128,
): v128 {
  const toCells = at.cells(layout) - at.gates(layout);
  const cp = v128.load(gp + toCells);
  const cq = v128.load(gq + toCells);
  const cr = v128.load(gr + toCells);
  const cs = v128.load(gs + toCells);
  const cOld = transpose0(cp, cq, cr, cs);
  const hOld = transpose1(cp, cq, cr, cs);
  const cNew = transpose2(cp, cq, cr, cs);
  const tanhC = transpose3(cp, cq, cr, cs);
  scatter(hp, hq, hr, hs, hOld);
  const byH = at.vGradient(layout) - at.v(layout);
  const byC = at.cGradient(layout) - at.v(layout);
  const dh = gather(hp + byH, hq + byH, hr + byH, hs + byH);
  const dc = gather(hp + byC, hq + byC, hr + byC, hs + byC);
  const rest = f32x4.sub(f32x4.splat(1), k);
  scatter(hp + byH, hq + byH, hr + byH, hs + byH, f32x4.mul(rest, dh));
  const i = transpose0(v128.load(gp), v128.load(gq), v128.load(gr), v128.load(gs));
  const f = transpose1(v128.load(gp), v128.load(gq), v128.load(gr), v128.load(gs));
  const g = transpose2(v128.load(gp), v128.load(gq), v128.load(gr), v128.load(gs));
  const o = transpose3(v128.load(gp), v128.load(gq), v128.load(gr), v128.load(gs));
  const kh = f32x4.mul(k, dh);
  const zo = f32x4.mul(f32x4.mul(kh, tanhC), ofSigmoid(o));
  const byTanh = f32x4.mul(f32x4.mul(kh, o), ofTanh(tanhC));
  const byCell = f32x4.add(f32x4.add(f32x4.mul(k, dc), byTanh), f32x4.mul(zo, wo));
  const zi = f32x4.mul(f32x4.mul(byCell, g), ofSigmoid(i));
  const zf = f32x4.mul(f32x4.mul(byCell, cOld), ofSigmoid(f));
  const zg = f32x4.mul(f32x4.mul(byCell, i), ofTanh(g));
  storeFour(gp, gq, gr, gs, zi, zf, zg, zo);
  const held = f32x4.add(f32x4.mul(rest, dc), f32x4.mul(byCell, f));
  const before = f32x4.add(f32x4.add(held, f32x4.mul(zi, wi)), f32x4.mul(zf, wf));
  scatter(hp + byC, hq + byC, hr + byC, hs + byC, before);
  return f32x4.add(
    f32x4.mul(dh, f32x4.sub(f32x4.mul(o, tanhC), hOld)),
    f32x4.mul(dc, f32x4.sub(cNew, cOld)),
  );
}
