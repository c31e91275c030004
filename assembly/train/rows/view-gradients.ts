import * as at from "../layout";

/** z = rows · v of entries `first` to `last` of one round: adds to the derivatives by v. */
export function addViewGradients(layout: usize, first: usize, last: usize): void {
  const entries = at.entries(layout);
  const gates = at.gates(layout);
  const bytes = at.viewBytes(layout);
  const byV = at.vGradient(layout) - at.v(layout);
  for (let e = first; e < last; e++) {
    const u = at.unitOf(entries, e);
    const row = at.rows(layout) + (u << 2) * bytes;
    const z = gates + (e << 4);
    const v = at.viewOfEntry(entries, e) + byV;
    if (e + 1 < last && at.unitOf(entries, e + 1) == u) {
      addTwo(row, v, at.viewOfEntry(entries, e + 1) + byV, z, bytes);
      e++;
    } else {
      addOne(row, v, z, bytes);
    }
  }
}

/** One unit of two sequences: its rows are loaded once for both. */
@inline
function addTwo(row: usize, v: usize, w: usize, z: usize, bytes: usize): void {
  const ai = v128.load32_splat(z);
  const af = v128.load32_splat(z, 4);
  const ag = v128.load32_splat(z, 8);
  const ao = v128.load32_splat(z, 12);
  const bi = v128.load32_splat(z, 16);
  const bf = v128.load32_splat(z, 20);
  const bg = v128.load32_splat(z, 24);
  const bo = v128.load32_splat(z, 28);
  const end = v + bytes;
  for (; v < end; v += 16, w += 16, row += 64) {
    const i = v128.load(row);
    const f = v128.load(row, 16);
    const g = v128.load(row, 32);
    const o = v128.load(row, 48);
    // One sum after the other: more would not fit into registers beside what is multiplied.
    const a = f32x4.add(v128.load(v), f32x4.mul(i, ai));
    const b = f32x4.add(f32x4.add(a, f32x4.mul(f, af)), f32x4.mul(g, ag));
    v128.store(v, f32x4.add(b, f32x4.mul(o, ao)));
    const c = f32x4.add(v128.load(w), f32x4.mul(i, bi));
    const d = f32x4.add(f32x4.add(c, f32x4.mul(f, bf)), f32x4.mul(g, bg));
    v128.store(w, f32x4.add(d, f32x4.mul(o, bo)));
  }
}

@inline
function addOne(row: usize, v: usize, z: usize, bytes: usize): void {
  const i = v128.load32_splat(z);
  const f = v128.load32_splat(z, 4);
  const g = v128.load32_splat(z, 8);
  const o = v128.load32_splat(z, 12);
  const end = v + bytes;
  for (; v < end; v += 16, row += 64) {
    v128.store(v, f32x4.add(v128.load(v), product(row, i, f, g, o)));
  }
}

@inline
function product(row: usize, i: v128, f: v128, g: v128, o: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(v128.load(row), i), f32x4.mul(v128.load(row, 16), f)),
    f32x4.add(f32x4.mul(v128.load(row, 32), g), f32x4.mul(v128.load(row, 48), o)),
  );
}
