import * as at from "../layout";
import { transpose0, transpose1, transpose2, transpose3 } from "../units/lanes";
import { elementBytes, gatesBytes, gatesOf, lanesFor } from "./lanes-of";

/** Copies the rows with the four gates of each element of v side by side. */
export function packRows(layout: usize): void {
  const end = at.rows(layout) + at.units(layout) * (at.viewBytes(layout) << 2);
  let to = at.packedRows(layout);
  for (let row = at.rows(layout); row < end; row += 64, to += 64) {
    const i = v128.load(row);
    const f = v128.load(row, 16);
    const g = v128.load(row, 32);
    const o = v128.load(row, 48);
    v128.store(to, transpose0(i, f, g, o));
    v128.store(to, transpose1(i, f, g, o), 16);
    v128.store(to, transpose2(i, f, g, o), 32);
    v128.store(to, transpose3(i, f, g, o), 48);
  }
}

/** z = rows · v of all units of a round, written where their gates will be. */
export function multiplyLanes(layout: usize, round: usize, active: usize): void {
  const stride = elementBytes(layout);
  const laneBytes = lanesFor(active) << 2;
  const toFour = gatesBytes(layout);
  const rowBytes = at.viewBytes(layout) << 2;
  const end = at.packedRows(layout) + at.units(layout) * rowBytes;
  let z = gatesOf(layout, round);
  for (let row = at.packedRows(layout); row < end; row += rowBytes, z += 64) {
    let v = at.v(layout);
    const last = v + laneBytes - 16;
    let four = z;
    for (; v < last; v += 32, four += 2 * toFour) {
      multiplyEight(row, row + rowBytes, v, stride, four, four + toFour);
    }
    if (v == last) multiplyFour(row, row + rowBytes, v, stride, four);
  }
}

/** Four gates of one unit in eight lanes. */
function multiplyEight(
  row: usize,
  end: usize,
  v: usize,
  stride: usize,
  z: usize,
  next: usize,
): void {
  let ai = f32x4.splat(0);
  let af = f32x4.splat(0);
  let ag = f32x4.splat(0);
  let ao = f32x4.splat(0);
  let bi = f32x4.splat(0);
  let bf = f32x4.splat(0);
  let bg = f32x4.splat(0);
  let bo = f32x4.splat(0);
  for (; row < end; row += 16, v += stride) {
    const a = v128.load(v);
    const b = v128.load(v, 16);
    const i = v128.load32_splat(row);
    ai = f32x4.add(ai, f32x4.mul(a, i));
    bi = f32x4.add(bi, f32x4.mul(b, i));
    const f = v128.load32_splat(row, 4);
    af = f32x4.add(af, f32x4.mul(a, f));
    bf = f32x4.add(bf, f32x4.mul(b, f));
    const g = v128.load32_splat(row, 8);
    ag = f32x4.add(ag, f32x4.mul(a, g));
    bg = f32x4.add(bg, f32x4.mul(b, g));
    const o = v128.load32_splat(row, 12);
    ao = f32x4.add(ao, f32x4.mul(a, o));
    bo = f32x4.add(bo, f32x4.mul(b, o));
  }
  v128.store(z, ai);
  v128.store(z, af, 16);
  v128.store(z, ag, 32);
  v128.store(z, ao, 48);
  v128.store(next, bi);
  v128.store(next, bf, 16);
  v128.store(next, bg, 32);
  v128.store(next, bo, 48);
}

/** The same in the four lanes that may remain. */
function multiplyFour(row: usize, end: usize, v: usize, stride: usize, z: usize): void {
  let i = f32x4.splat(0);
  let f = f32x4.splat(0);
  let g = f32x4.splat(0);
  let o = f32x4.splat(0);
  for (; row < end; row += 16, v += stride) {
    const a = v128.load(v);
    i = f32x4.add(i, f32x4.mul(a, v128.load32_splat(row)));
    f = f32x4.add(f, f32x4.mul(a, v128.load32_splat(row, 4)));
    g = f32x4.add(g, f32x4.mul(a, v128.load32_splat(row, 8)));
    o = f32x4.add(o, f32x4.mul(a, v128.load32_splat(row, 12)));
  }
  v128.store(z, i);
  v128.store(z, f, 16);
  v128.store(z, g, 32);
  v128.store(z, o, 48);
}
