// C += A B in float32 SIMD, row-major. Lanes are columns and each sum runs over k in order, so the
// bits do not depend on how rows and columns are cut into tiles.

/**
 * @param c [m, n]
 * @param a element (i, j) is at a + i * aRow + j * aColumn bytes, so that A may be a transpose
 * @param b [k, n]
 * @param n a multiple of 8; unused columns are zero in B
 */
export function multiplyAdd(
  c: usize,
  a: usize,
  b: usize,
  m: i32,
  n: i32,
  k: i32,
  aRow: usize,
  aColumn: usize,
): void {
  const stride = <usize>n << 2;
  const depth = <usize>k * aColumn;
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    for (let at: usize = 0; at < stride; at += 32) {
      fourRows(c + at, a, b + at, stride, aRow, aColumn, depth);
    }
    a += aRow << 2;
    c += stride << 2;
  }
  for (; i < m; i++) {
    for (let at: usize = 0; at < stride; at += 32) oneRow(c + at, a, b + at, stride, aColumn, depth);
    a += aRow;
    c += stride;
  }
}

/** Eight accumulators hide the latency of an addition and leave registers for A and B. */
// @ts-ignore: decorator
@inline
function fourRows(
  c: usize,
  a: usize,
  b: usize,
  stride: usize,
  aRow: usize,
  aColumn: usize,
  depth: usize,
): void {
  const c1 = c + stride;
  const c2 = c1 + stride;
  const c3 = c2 + stride;
  let s00 = v128.load(c);
  let s01 = v128.load(c, 16);
  let s10 = v128.load(c1);
  let s11 = v128.load(c1, 16);
  let s20 = v128.load(c2);
  let s21 = v128.load(c2, 16);
  let s30 = v128.load(c3);
  let s31 = v128.load(c3, 16);
  const a2 = a + (aRow << 1);
  for (let at: usize = 0; at < depth; at += aColumn, b += stride) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const x0 = v128.load32_splat(a + at);
    s00 = f32x4.add(s00, f32x4.mul(x0, b0));
    s01 = f32x4.add(s01, f32x4.mul(x0, b1));
    const x1 = v128.load32_splat(a + aRow + at);
    s10 = f32x4.add(s10, f32x4.mul(x1, b0));
    s11 = f32x4.add(s11, f32x4.mul(x1, b1));
    const x2 = v128.load32_splat(a2 + at);
    s20 = f32x4.add(s20, f32x4.mul(x2, b0));
    s21 = f32x4.add(s21, f32x4.mul(x2, b1));
    const x3 = v128.load32_splat(a2 + aRow + at);
    s30 = f32x4.add(s30, f32x4.mul(x3, b0));
    s31 = f32x4.add(s31, f32x4.mul(x3, b1));
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
}

// @ts-ignore: decorator
@inline
function oneRow(c: usize, a: usize, b: usize, stride: usize, aColumn: usize, depth: usize): void {
  let s0 = v128.load(c);
  let s1 = v128.load(c, 16);
  for (let at: usize = 0; at < depth; at += aColumn, b += stride) {
    const x = v128.load32_splat(a + at);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(b, 16)));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
}
