import * as at from "../layout";
import { gather, scatter, storeFour, transpose0, transpose1, transpose2, transpose3 } from "./lanes";
import { sigmoid4, tanh4 } from "./sigmoid";

/**
 * Eqs. 1-5, 8 and 10 of entries `first` to `last` of one round: gates in the place of their z. Four
 * side by side, since an exponential takes as long for one as for four; the last fills empty places,
 * which write the same twice.
 *
 * In two loops, since each operation waits for the one before it, through exponentials and divisions:
 * a processor sees far enough ahead to do the halves of two or three fours at once, but not two wholes.
 */
export function forwardUnits(layout: usize, first: usize, last: usize): void {
  const entries = at.entries(layout);
  const gates = at.gates(layout);
  const ci = at.peepholes(layout);
  const cf = ci + (at.units(layout) << 2);
  const co = cf + (at.units(layout) << 2);
  const kAt = at.k(layout);
  const toC = at.c(layout) - at.v(layout);
  for (let p = first; p < last; p += 4) {
    const q = min(p + 1, last - 1);
    const r = min(p + 2, last - 1);
    const s = min(p + 3, last - 1);
    const up = at.unitOf(entries, p) << 2;
    const uq = at.unitOf(entries, q) << 2;
    const ur = at.unitOf(entries, r) << 2;
    const us = at.unitOf(entries, s) << 2;
    writeCells(
      layout,
      gates + (p << 4),
      gates + (q << 4),
      gates + (r << 4),
      gates + (s << 4),
      at.viewOfEntry(entries, p) + up + toC,
      at.viewOfEntry(entries, q) + uq + toC,
      at.viewOfEntry(entries, r) + ur + toC,
      at.viewOfEntry(entries, s) + us + toC,
      gather(ci + up, ci + uq, ci + ur, ci + us),
      gather(cf + up, cf + uq, cf + ur, cf + us),
      gather(co + up, co + uq, co + ur, co + us),
      gather(kAt + (p << 2), kAt + (q << 2), kAt + (r << 2), kAt + (s << 2)),
    );
  }
  for (let p = first; p < last; p += 4) {
    const q = min(p + 1, last - 1);
    const r = min(p + 2, last - 1);
    const s = min(p + 3, last - 1);
    writeOutputs(
      layout,
      gates + (p << 4),
      gates + (q << 4),
      gates + (r << 4),
      gates + (s << 4),
      at.viewOfEntry(entries, p) + (at.unitOf(entries, p) << 2),
      at.viewOfEntry(entries, q) + (at.unitOf(entries, q) << 2),
      at.viewOfEntry(entries, r) + (at.unitOf(entries, r) << 2),
      at.viewOfEntry(entries, s) + (at.unitOf(entries, s) << 2),
      gather(kAt + (p << 2), kAt + (q << 2), kAt + (r << 2), kAt + (s << 2)),
    );
  }
}

/**
 * First half: all but the last column of gates and cells, in which z of o waits for the second half.
 *
 * @param gp z of the first of four units, which its gates replace
 * @param p its c
 * @param wi peepholes of the four, and `k` their openness
 */
@inline
function writeCells(
  layout: usize,
  gp: usize,
  gq: usize,
  gr: usize,
  gs: usize,
  p: usize,
  q: usize,
  r: usize,
  s: usize,
  wi: v128,
  wf: v128,
  wo: v128,
  k: v128,
): void {
  const zp = v128.load(gp);
  const zq = v128.load(gq);
  const zr = v128.load(gr);
  const zs = v128.load(gs);
  const cOld = gather(p, q, r, s);
  const i = sigmoid4(f32x4.add(transpose0(zp, zq, zr, zs), f32x4.mul(wi, cOld)));
  const f = sigmoid4(f32x4.add(transpose1(zp, zq, zr, zs), f32x4.mul(wf, cOld)));
  const g = tanh4(transpose2(zp, zq, zr, zs));
  const cNew = f32x4.add(f32x4.mul(f, cOld), f32x4.mul(i, g));
  // The gates are blind to the time gate: the peephole of o sees c~ (spec 1.3).
  const zo = f32x4.add(transpose3(zp, zq, zr, zs), f32x4.mul(wo, cNew));
  storeFour(gp, gq, gr, gs, i, f, g, zo);
  const rest = f32x4.sub(f32x4.splat(1), k);
  scatter(p, q, r, s, f32x4.add(f32x4.mul(k, cNew), f32x4.mul(rest, cOld)));
  const toCells = at.cells(layout) - at.gates(layout);
  storeFour(gp + toCells, gq + toCells, gr + toCells, gs + toCells, cOld, cNew, cNew, zo);
}

/**
 * Second half: o, tanh(c~) and h.
 *
 * @param hp h of the first of four units
 */
@inline
function writeOutputs(
  layout: usize,
  gp: usize,
  gq: usize,
  gr: usize,
  gs: usize,
  hp: usize,
  hq: usize,
  hr: usize,
  hs: usize,
  k: v128,
): void {
  const toCells = at.cells(layout) - at.gates(layout);
  const cp = v128.load(gp + toCells);
  const cq = v128.load(gq + toCells);
  const cr = v128.load(gr + toCells);
  const cs = v128.load(gs + toCells);
  const o = sigmoid4(transpose3(cp, cq, cr, cs));
  const tanhC = tanh4(transpose2(cp, cq, cr, cs));
  const hOld = gather(hp, hq, hr, hs);
  scatter(gp + 12, gq + 12, gr + 12, gs + 12, o);
  const toTanh = toCells + 12;
  scatter(gp + toTanh, gq + toTanh, gr + toTanh, gs + toTanh, tanhC);
  const toOld = toCells + 4;
  scatter(gp + toOld, gq + toOld, gr + toOld, gs + toOld, hOld);
  const rest = f32x4.sub(f32x4.splat(1), k);
  scatter(hp, hq, hr, hs, f32x4.add(f32x4.mul(f32x4.mul(k, o), tanhC), f32x4.mul(rest, hOld)));
}
