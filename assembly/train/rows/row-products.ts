import * as at from "../layout";

/** z = rows · v of entries `first` to `last` of one round, written where their gates will be. */
export function multiplyRows(layout: usize, first: usize, last: usize): void {
  const entries = at.entries(layout);
  const gates = at.gates(layout);
  const bytes = at.viewBytes(layout);
  for (let e = first; e < last; e++) {
    const u = at.unitOf(entries, e);
    const row = at.rows(layout) + (u << 2) * bytes;
    const z = gates + (e << 4);
    const v = at.viewOfEntry(entries, e);
    if (e + 1 < last && at.unitOf(entries, e + 1) == u) {
      multiplyTwo(row, v, at.viewOfEntry(entries, e + 1), z, bytes);
      e++;
    } else {
      multiplyOne(row, v, z, bytes);
    }
  }
}

/** One unit of two sequences: its rows are loaded once for both. */
@inline
function multiplyTwo(row: usize, v: usize, w: usize, z: usize, bytes: usize): void {
  let ai = f32x4.splat(0);
  let af = f32x4.splat(0);
  let ag = f32x4.splat(0);
  let ao = f32x4.splat(0);
  let bi = f32x4.splat(0);
  let bf = f32x4.splat(0);
  let bg = f32x4.splat(0);
  let bo = f32x4.splat(0);
  const end = v + bytes;
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
  v128.store(z, sums(ai, af, ag, ao));
  v128.store(z, sums(bi, bf, bg, bo), 16);
}

/** Two sums for each gate, since a sum waits for the one before it. */
@inline
function multiplyOne(row: usize, v: usize, z: usize, bytes: usize): void {
  let ai = f32x4.splat(0);
  let af = f32x4.splat(0);
  let ag = f32x4.splat(0);
  let ao = f32x4.splat(0);
  let bi = f32x4.splat(0);
  let bf = f32x4.splat(0);
  let bg = f32x4.splat(0);
  let bo = f32x4.splat(0);
  const end = v + bytes;
  for (; v < end; v += 32, row += 128) {
    const a = v128.load(v);
    ai = f32x4.add(ai, f32x4.mul(v128.load(row), a));
    af = f32x4.add(af, f32x4.mul(v128.load(row, 16), a));
    ag = f32x4.add(ag, f32x4.mul(v128.load(row, 32), a));
    ao = f32x4.add(ao, f32x4.mul(v128.load(row, 48), a));
    const b = v128.load(v, 16);
    bi = f32x4.add(bi, f32x4.mul(v128.load(row, 64), b));
    bf = f32x4.add(bf, f32x4.mul(v128.load(row, 80), b));
    bg = f32x4.add(bg, f32x4.mul(v128.load(row, 96), b));
    bo = f32x4.add(bo, f32x4.mul(v128.load(row, 112), b));
  }
  v128.store(
    z,
    sums(f32x4.add(ai, bi), f32x4.add(af, bf), f32x4.add(ag, bg), f32x4.add(ao, bo)),
  );
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
