import * as at from "../layout";
import { elementBytes, gatesBytes, gatesOf, lanesFor } from "./lanes-of";

/** Copies the rows by four elements of v, in these unit by unit. */
export function packColumns(layout: usize): void {
  const rowBytes = at.viewBytes(layout) << 2;
  const end = at.rows(layout) + at.units(layout) * rowBytes;
  let to = at.packedRows(layout);
  for (let column: usize = 0; column < rowBytes; column += 64) {
    for (let row = at.rows(layout) + column; row < end; row += rowBytes, to += 64) {
      v128.store(to, v128.load(row));
      v128.store(to, v128.load(row, 16), 16);
      v128.store(to, v128.load(row, 32), 32);
      v128.store(to, v128.load(row, 48), 48);
    }
  }
}

/**
 * z = rows · v of all units of a round: adds to the derivatives by v. Sums over all units stay in
 * registers, and the derivatives by z of eight lanes in the first cache for all elements.
 */
export function addViewGradientsOfLanes(layout: usize, round: usize, active: usize): void {
  const stride = elementBytes(layout);
  const toFour = gatesBytes(layout);
  const lanes = lanesFor(active);
  const blocks = at.length(layout) >> 2;
  let z = gatesOf(layout, round);
  for (let lane: usize = 0; lane < lanes; lane += 8, z += 2 * toFour) {
    let row = at.packedRows(layout);
    let v = at.vGradient(layout) + (lane << 2);
    const isEight = lane + 4 < lanes;
    for (let block: usize = 0; block < blocks; block++, row += toFour, v += stride << 2) {
      if (isEight) addEight(row, row + toFour, z, z + toFour, v, stride);
      else addFour(row, row + toFour, z, v, stride);
    }
  }
}

/** Four elements of v in eight lanes. */
function addEight(row: usize, end: usize, z: usize, next: usize, v: usize, stride: usize): void {
  const w = v + stride;
  const x = w + stride;
  const y = x + stride;
  let a0 = v128.load(v);
  let b0 = v128.load(v, 16);
  let a1 = v128.load(w);
  let b1 = v128.load(w, 16);
  let a2 = v128.load(x);
  let b2 = v128.load(x, 16);
  let a3 = v128.load(y);
  let b3 = v128.load(y, 16);
  for (; row < end; row += 16, z += 16, next += 16) {
    const a = v128.load(z);
    const b = v128.load(next);
    let weight = v128.load32_splat(row);
    a0 = f32x4.add(a0, f32x4.mul(a, weight));
    b0 = f32x4.add(b0, f32x4.mul(b, weight));
    weight = v128.load32_splat(row, 4);
    a1 = f32x4.add(a1, f32x4.mul(a, weight));
    b1 = f32x4.add(b1, f32x4.mul(b, weight));
    weight = v128.load32_splat(row, 8);
    a2 = f32x4.add(a2, f32x4.mul(a, weight));
    b2 = f32x4.add(b2, f32x4.mul(b, weight));
    weight = v128.load32_splat(row, 12);
    a3 = f32x4.add(a3, f32x4.mul(a, weight));
    b3 = f32x4.add(b3, f32x4.mul(b, weight));
  }
  v128.store(v, a0);
  v128.store(v, b0, 16);
  v128.store(w, a1);
  v128.store(w, b1, 16);
  v128.store(x, a2);
  v128.store(x, b2, 16);
  v128.store(y, a3);
  v128.store(y, b3, 16);
}

/** The same in the four lanes that may remain. */
function addFour(row: usize, end: usize, z: usize, v: usize, stride: usize): void {
  const w = v + stride;
  const x = w + stride;
  const y = x + stride;
  let a0 = v128.load(v);
  let a1 = v128.load(w);
  let a2 = v128.load(x);
  let a3 = v128.load(y);
  for (; row < end; row += 16, z += 16) {
    const a = v128.load(z);
    a0 = f32x4.add(a0, f32x4.mul(a, v128.load32_splat(row)));
    a1 = f32x4.add(a1, f32x4.mul(a, v128.load32_splat(row, 4)));
    a2 = f32x4.add(a2, f32x4.mul(a, v128.load32_splat(row, 8)));
    a3 = f32x4.add(a3, f32x4.mul(a, v128.load32_splat(row, 12)));
  }
  v128.store(v, a0);
  v128.store(w, a1);
  v128.store(x, a2);
  v128.store(y, a3);
}
