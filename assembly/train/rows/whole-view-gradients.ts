import * as at from "../layout";

/**
 * z = rows · v of a round that lists every unit of `active` sequences, a multiple of four: adds to
 * the derivatives by v. Sums over all units stay in registers, and the rows of a block of columns in
 * the first cache for all sequences.
 *
 * @param first entry of the round
 */
export function addWholeViewGradients(layout: usize, first: usize, active: usize): void {
  const entries = at.entries(layout);
  const bytes = at.viewBytes(layout);
  const unitBytes = active << 4;
  const z = at.gates(layout) + (first << 4);
  const end = z + at.units(layout) * unitBytes;
  for (let column: usize = 0; column < bytes; column += 32) {
    const row = at.rows(layout) + (column << 2);
    const byV = at.vGradient(layout) - at.v(layout) + column;
    for (let b: usize = 0; b < active; b += 4) {
      const e = first + b;
      addFour(
        row,
        bytes << 2,
        z + (b << 4),
        end,
        unitBytes,
        at.viewOfEntry(entries, e) + byV,
        at.viewOfEntry(entries, e + 1) + byV,
        at.viewOfEntry(entries, e + 2) + byV,
        at.viewOfEntry(entries, e + 3) + byV,
      );
    }
  }
}

/**
 * Eight columns of the v of four sequences, summed over units, gate by gate. A way out after each
 * gate, which is never taken, keeps V8 from doing all loads of a unit before its first product: there
 * are not that many registers.
 *
 * @param z of the first sequence, those of the others behind it; at `end` there are no more units
 */
function addFour(
  row: usize,
  rowBytes: usize,
  z: usize,
  end: usize,
  unitBytes: usize,
  v: usize,
  vp: usize,
  vq: usize,
  vr: usize,
): void {
  let zp = z + 16;
  let zq = z + 32;
  let zr = z + 48;
  let a0 = v128.load(v);
  let a1 = v128.load(v, 16);
  let b0 = v128.load(vp);
  let b1 = v128.load(vp, 16);
  let c0 = v128.load(vq);
  let c1 = v128.load(vq, 16);
  let d0 = v128.load(vr);
  let d1 = v128.load(vr, 16);
  for (;;) {
    let w0 = v128.load(row);
    let w1 = v128.load(row, 64);
    let s = v128.load32_splat(z);
    a0 = f32x4.add(a0, f32x4.mul(w0, s));
    a1 = f32x4.add(a1, f32x4.mul(w1, s));
    s = v128.load32_splat(zp);
    b0 = f32x4.add(b0, f32x4.mul(w0, s));
    b1 = f32x4.add(b1, f32x4.mul(w1, s));
    s = v128.load32_splat(zq);
    c0 = f32x4.add(c0, f32x4.mul(w0, s));
    c1 = f32x4.add(c1, f32x4.mul(w1, s));
    s = v128.load32_splat(zr);
    d0 = f32x4.add(d0, f32x4.mul(w0, s));
    d1 = f32x4.add(d1, f32x4.mul(w1, s));
    if (zp == end) break;
    w0 = v128.load(row, 16);
    w1 = v128.load(row, 80);
    s = v128.load32_splat(z, 4);
    a0 = f32x4.add(a0, f32x4.mul(w0, s));
    a1 = f32x4.add(a1, f32x4.mul(w1, s));
    s = v128.load32_splat(zp, 4);
    b0 = f32x4.add(b0, f32x4.mul(w0, s));
    b1 = f32x4.add(b1, f32x4.mul(w1, s));
    s = v128.load32_splat(zq, 4);
    c0 = f32x4.add(c0, f32x4.mul(w0, s));
    c1 = f32x4.add(c1, f32x4.mul(w1, s));
    s = v128.load32_splat(zr, 4);
    d0 = f32x4.add(d0, f32x4.mul(w0, s));
    d1 = f32x4.add(d1, f32x4.mul(w1, s));
    if (zq == end) break;
    w0 = v128.load(row, 32);
    w1 = v128.load(row, 96);
    s = v128.load32_splat(z, 8);
    a0 = f32x4.add(a0, f32x4.mul(w0, s));
    a1 = f32x4.add(a1, f32x4.mul(w1, s));
    s = v128.load32_splat(zp, 8);
    b0 = f32x4.add(b0, f32x4.mul(w0, s));
    b1 = f32x4.add(b1, f32x4.mul(w1, s));
    s = v128.load32_splat(zq, 8);
    c0 = f32x4.add(c0, f32x4.mul(w0, s));
    c1 = f32x4.add(c1, f32x4.mul(w1, s));
    s = v128.load32_splat(zr, 8);
    d0 = f32x4.add(d0, f32x4.mul(w0, s));
    d1 = f32x4.add(d1, f32x4.mul(w1, s));
    if (zr == end) break;
    w0 = v128.load(row, 48);
    w1 = v128.load(row, 112);
    s = v128.load32_splat(z, 12);
    a0 = f32x4.add(a0, f32x4.mul(w0, s));
    a1 = f32x4.add(a1, f32x4.mul(w1, s));
    s = v128.load32_splat(zp, 12);
    b0 = f32x4.add(b0, f32x4.mul(w0, s));
    b1 = f32x4.add(b1, f32x4.mul(w1, s));
    s = v128.load32_splat(zq, 12);
    c0 = f32x4.add(c0, f32x4.mul(w0, s));
    c1 = f32x4.add(c1, f32x4.mul(w1, s));
    s = v128.load32_splat(zr, 12);
    d0 = f32x4.add(d0, f32x4.mul(w0, s));
    d1 = f32x4.add(d1, f32x4.mul(w1, s));
    z += unitBytes;
    zp += unitBytes;
    zq += unitBytes;
    zr += unitBytes;
    row += rowBytes;
    if (z >= end) break;
  }
  v128.store(v, a0);
  v128.store(v, a1, 16);
  v128.store(vp, b0);
  v128.store(vp, b1, 16);
  v128.store(vq, c0);
  v128.store(vq, c1, 16);
  v128.store(vr, d0);
  v128.store(vr, d1, 16);
}
