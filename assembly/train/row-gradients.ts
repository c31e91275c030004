import { firstEntryOf, viewOfEntry, zOf } from "./entries-by-unit";
import * as at from "./layout";

/** z = rows · v of all sorted entries: adds to the derivatives by the rows, from those by z. */
export function addRowGradients(layout: usize): void {
  const units = at.units(layout);
  const stride = at.length(layout) << 2;
  for (let u: usize = 0; u < units; u++) {
    const first = firstEntryOf(layout, u);
    const last = firstEntryOf(layout, u + 1);
    if (first == last) continue;
    const gradient = at.rowsGradient(layout) + (u << 2) * stride;
    for (let m: usize = 0; m < stride; m += 32) addBlock(gradient + (m << 2), m, first, last);
  }
}

/** Eight columns of v against the four gates of one unit, summed over entries in registers. */
@inline
function addBlock(gradient: usize, column: usize, first: usize, last: usize): void {
  let ai = v128.load(gradient);
  let af = v128.load(gradient, 16);
  let ag = v128.load(gradient, 32);
  let ao = v128.load(gradient, 48);
  let bi = v128.load(gradient, 64);
  let bf = v128.load(gradient, 80);
  let bg = v128.load(gradient, 96);
  let bo = v128.load(gradient, 112);
  for (let entry = first; entry < last; entry += 8) {
    const z = zOf(entry);
    const view = viewOfEntry(entry) + column;
    const a = v128.load(view);
    const b = v128.load(view, 16);
    const i = v128.load32_splat(z);
    ai = f32x4.add(ai, f32x4.mul(a, i));
    bi = f32x4.add(bi, f32x4.mul(b, i));
    const f = v128.load32_splat(z, 4);
    af = f32x4.add(af, f32x4.mul(a, f));
    bf = f32x4.add(bf, f32x4.mul(b, f));
    const g = v128.load32_splat(z, 8);
    ag = f32x4.add(ag, f32x4.mul(a, g));
    bg = f32x4.add(bg, f32x4.mul(b, g));
    const o = v128.load32_splat(z, 12);
    ao = f32x4.add(ao, f32x4.mul(a, o));
    bo = f32x4.add(bo, f32x4.mul(b, o));
  }
  v128.store(gradient, ai);
  v128.store(gradient, af, 16);
  v128.store(gradient, ag, 32);
  v128.store(gradient, ao, 48);
  v128.store(gradient, bi, 64);
  v128.store(gradient, bf, 80);
  v128.store(gradient, bg, 96);
  v128.store(gradient, bo, 112);
}

/** z = rows · v of all sorted entries: adds to the derivatives by v, from those by z. */
export function addViewGradients(layout: usize): void {
  const units = at.units(layout);
  const stride = at.length(layout) << 2;
  for (let u: usize = 0; u < units; u++) {
    const row = at.rows(layout) + (u << 2) * stride;
    const last = firstEntryOf(layout, u + 1);
    let entry = firstEntryOf(layout, u);
    for (; entry + 8 < last; entry += 16) addTwo(row, entry, entry + 8, stride);
    if (entry < last) addOne(row, entry, stride);
  }
}

/** One unit of two events: its rows are loaded once for both. */
@inline
function addTwo(row: usize, entry: usize, other: usize, stride: usize): void {
  const z = zOf(entry);
  const y = zOf(other);
  const ai = v128.load32_splat(z);
  const af = v128.load32_splat(z, 4);
  const ag = v128.load32_splat(z, 8);
  const ao = v128.load32_splat(z, 12);
  const bi = v128.load32_splat(y);
  const bf = v128.load32_splat(y, 4);
  const bg = v128.load32_splat(y, 8);
  const bo = v128.load32_splat(y, 12);
  let v = viewOfEntry(entry);
  let w = viewOfEntry(other);
  const end = v + stride;
  for (; v < end; v += 16, w += 16, row += 64) {
    const i = v128.load(row);
    const f = v128.load(row, 16);
    const g = v128.load(row, 32);
    const o = v128.load(row, 48);
    const ofFirst = f32x4.add(
      f32x4.add(f32x4.mul(i, ai), f32x4.mul(f, af)),
      f32x4.add(f32x4.mul(g, ag), f32x4.mul(o, ao)),
    );
    const ofSecond = f32x4.add(
      f32x4.add(f32x4.mul(i, bi), f32x4.mul(f, bf)),
      f32x4.add(f32x4.mul(g, bg), f32x4.mul(o, bo)),
    );
    v128.store(v, f32x4.add(v128.load(v), ofFirst));
    v128.store(w, f32x4.add(v128.load(w), ofSecond));
  }
}

@inline
function addOne(row: usize, entry: usize, stride: usize): void {
  const z = zOf(entry);
  const i = v128.load32_splat(z);
  const f = v128.load32_splat(z, 4);
  const g = v128.load32_splat(z, 8);
  const o = v128.load32_splat(z, 12);
  const vGradient = viewOfEntry(entry);
  const end = vGradient + stride;
  for (let m = vGradient; m < end; m += 16, row += 64) {
    v128.store(m, f32x4.add(v128.load(m), product(row, i, f, g, o)));
  }
}

@inline
function product(row: usize, i: v128, f: v128, g: v128, o: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(v128.load(row), i), f32x4.mul(v128.load(row, 16), f)),
    f32x4.add(f32x4.mul(v128.load(row, 32), g), f32x4.mul(v128.load(row, 48), o)),
  );
}
