// y = b + x W in float64 SIMD. Lanes are columns, so that each sum keeps the order of x: the bits of
// src/cells/dense.ts.

/**
 * @param y result [columns]
 * @param x input [rows]
 * @param w W [rows, columns], row-major
 * @param b bias [columns]
 * @param columns a multiple of 8; unused ones are zero
 */
export function dense(y: usize, x: usize, w: usize, b: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 3;
  const end = x + (<usize>rows << 3);
  let at: usize = 0;
  for (; at + 128 <= stride; at += 128) block16(y + at, x, end, w + at, b + at, stride);
  if (at < stride) block8(y + at, x, end, w + at, b + at, stride);
}

/** Eight accumulators hide the latency of an addition, and leave registers for x and the products. */
// @ts-ignore: decorator
@inline
function block16(y: usize, x: usize, end: usize, w: usize, b: usize, stride: usize): void {
  let a0 = v128.load(b);
  let a1 = v128.load(b, 16);
  let a2 = v128.load(b, 32);
  let a3 = v128.load(b, 48);
  let a4 = v128.load(b, 64);
  let a5 = v128.load(b, 80);
  let a6 = v128.load(b, 96);
  let a7 = v128.load(b, 112);
  while (x < end) {
    const input = v128.load64_splat(x);
    a0 = f64x2.add(a0, f64x2.mul(input, v128.load(w)));
    a1 = f64x2.add(a1, f64x2.mul(input, v128.load(w, 16)));
    a2 = f64x2.add(a2, f64x2.mul(input, v128.load(w, 32)));
    a3 = f64x2.add(a3, f64x2.mul(input, v128.load(w, 48)));
    a4 = f64x2.add(a4, f64x2.mul(input, v128.load(w, 64)));
    a5 = f64x2.add(a5, f64x2.mul(input, v128.load(w, 80)));
    a6 = f64x2.add(a6, f64x2.mul(input, v128.load(w, 96)));
    a7 = f64x2.add(a7, f64x2.mul(input, v128.load(w, 112)));
    x += 8;
    w += stride;
  }
  v128.store(y, a0);
  v128.store(y, a1, 16);
  v128.store(y, a2, 32);
  v128.store(y, a3, 48);
  v128.store(y, a4, 64);
  v128.store(y, a5, 80);
  v128.store(y, a6, 96);
  v128.store(y, a7, 112);
}

// @ts-ignore: decorator
@inline
function block8(y: usize, x: usize, end: usize, w: usize, b: usize, stride: usize): void {
  let a0 = v128.load(b);
  let a1 = v128.load(b, 16);
  let a2 = v128.load(b, 32);
  let a3 = v128.load(b, 48);
  while (x < end) {
    const input = v128.load64_splat(x);
    a0 = f64x2.add(a0, f64x2.mul(input, v128.load(w)));
    a1 = f64x2.add(a1, f64x2.mul(input, v128.load(w, 16)));
    a2 = f64x2.add(a2, f64x2.mul(input, v128.load(w, 32)));
    a3 = f64x2.add(a3, f64x2.mul(input, v128.load(w, 48)));
    x += 8;
    w += stride;
  }
  v128.store(y, a0);
  v128.store(y, a1, 16);
  v128.store(y, a2, 32);
  v128.store(y, a3, 48);
}
