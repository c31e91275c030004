/**
 * e^−x of four x clamped to ±40; bit for bit expFloat32(−x) of src/cells/kernels/exp-float32.ts. The
 * sign costs nothing here: it goes into a constant and into a subtraction.
 */
@inline
export function expOfNegative4(x: v128): v128 {
  const v = f32x4.pmax(f32x4.pmin(x, f32x4.splat(40)), f32x4.splat(-40));
  const n = f32x4.nearest(f32x4.mul(v, f32x4.splat(-1.4426950408889634)));
  const r = f32x4.add(
    f32x4.mul(n, f32x4.splat(2.1219444e-4)),
    f32x4.sub(f32x4.mul(n, f32x4.splat(-0.693359375)), v),
  );
  let p = f32x4.add(f32x4.mul(f32x4.splat(1.98756915e-4), r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  const e = f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), f32x4.add(r, f32x4.splat(1)));
  // The last bits of n + 127 + 1.5 · 2^23 are the exponent of 2^n; the shift drops all others. One
  // addition, where a conversion to integers is five instructions and a constant in memory.
  return f32x4.mul(e, i32x4.shl(f32x4.add(n, f32x4.splat(12583039)), 23));
}
