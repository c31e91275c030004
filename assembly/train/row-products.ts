import { firstEntryOf, viewOfEntry, zOf } from "./entries-by-unit";
import * as at from "./layout";

/** z = rows · v of all sorted entries, written where their gates will be. */
export function multiplyRows(layout: usize): void {
  const units = at.units(layout);
  const stride = at.length(layout) << 2;
  for (let u: usize = 0; u < units; u++) {
    const row = at.rows(layout) + (u << 2) * stride;
    const last = firstEntryOf(layout, u + 1);
    let entry = firstEntryOf(layout, u);
    for (; entry + 8 < last; entry += 16) multiplyTwo(row, entry, entry + 8, stride);
    if (entry < last) multiplyOne(row, entry, stride);
  }
}

/** One unit of two events: its rows are loaded once for both. */
@inline
function multiplyTwo(row: usize, entry: usize, other: usize, stride: usize): void {
  let ai = f32x4.splat(0);
  let af = f32x4.splat(0);
  let ag = f32x4.splat(0);
  let ao = f32x4.splat(0);
  let bi = f32x4.splat(0);
  let bf = f32x4.splat(0);
  let bg = f32x4.splat(0);
  let bo = f32x4.splat(0);
  let v = viewOfEntry(entry);
  let w = viewOfEntry(other);
  const end = v + stride;
  for (; v < end; v += 16, w += 16, row += 64) {
    const a = v128.load(v);
    const b = v128.load(w);
    const i = v128.load(row);
    ai = f32x4.add(ai, f32x4.mul(i, a));
    bi = f32x4.add(bi, f32x4.mul(i, b));
    const f = v128.load(row, 16);
    af = f32x4.add(af, f32x4.mul(f, a));
    bf = f32x4.add(bf, f32x4.mul(f, b));
    const g = v128.load(row, 32);
    ag = f32x4.add(ag, f32x4.mul(g, a));
    bg = f32x4.add(bg, f32x4.mul(g, b));
    const o = v128.load(row, 48);
    ao = f32x4.add(ao, f32x4.mul(o, a));
    bo = f32x4.add(bo, f32x4.mul(o, b));
  }
  v128.store(zOf(entry), sums(ai, af, ag, ao));
  v128.store(zOf(other), sums(bi, bf, bg, bo));
}

@inline
function multiplyOne(row: usize, entry: usize, stride: usize): void {
  let zi = f32x4.splat(0);
  let zf = f32x4.splat(0);
  let zg = f32x4.splat(0);
  let zo = f32x4.splat(0);
  const v = viewOfEntry(entry);
  const end = v + stride;
  for (let m = v; m < end; m += 16, row += 64) {
    const value = v128.load(m);
    zi = f32x4.add(zi, f32x4.mul(v128.load(row), value));
    zf = f32x4.add(zf, f32x4.mul(v128.load(row, 16), value));
    zg = f32x4.add(zg, f32x4.mul(v128.load(row, 32), value));
    zo = f32x4.add(zo, f32x4.mul(v128.load(row, 48), value));
  }
  v128.store(zOf(entry), sums(zi, zf, zg, zo));
}

/** Sum of each of four vectors, side by side. */
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  // ab = [a, b, a, b], cd = [c, d, c, d].
  return f32x4.add(
    v128.shuffle<f32>(ab, cd, 0, 1, 4, 5),
    v128.shuffle<f32>(ab, cd, 2, 3, 6, 7),
  );
}
