/** Adding and subtracting 1.5 · 2^23 rounds a small float32 to the nearest even integer. */
const ROUNDER: f32 = 12582912;

/**
 * e^−x of four float32, clamped to ±40; Cephes expf, error at most 2 ulp. The sign costs nothing: it goes
 * into constants and a subtraction.
 */
@inline
function expOfNegative4(x: v128): v128 {
  const v = f32x4.pmax(f32x4.pmin(x, f32x4.splat(40)), f32x4.splat(-40));
  const rounded = f32x4.add(f32x4.mul(v, f32x4.splat(-1.44269504)), f32x4.splat(ROUNDER));
  const n = f32x4.sub(rounded, f32x4.splat(ROUNDER));
  // ln 2 in two parts, the first with so few bits that its multiples are exact (Cody & Waite).
  let r = f32x4.sub(f32x4.mul(n, f32x4.splat(-0.693359375)), v);
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.12194440e-4)));
  // By pairs (Estrin), which wait for each other half as long as one by one (Horner).
  const square = f32x4.mul(r, r);
  let p = f32x4.add(f32x4.mul(f32x4.splat(1.98756915e-4), r), f32x4.splat(1.3981999507e-3));
  const middle = f32x4.add(f32x4.mul(f32x4.splat(8.3334519073e-3), r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, square), middle);
  const low = f32x4.add(f32x4.mul(f32x4.splat(1.6666665459e-1), r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.mul(p, square), low);
  p = f32x4.add(f32x4.mul(p, square), f32x4.add(r, f32x4.splat(1)));
  // The low bits of the rounded number are n: shifted up they are the exponent of 2^n.
  return f32x4.mul(p, i32x4.shl(i32x4.add(rounded, i32x4.splat(127)), 23));
}

/** 1 / (1 + e^−x) of four float32. */
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, expOfNegative4(x)));
}

/** tanh(x) = 2 sigmoid(2x) − 1. */
@inline
export function tanh4(x: v128): v128 {
  return f32x4.sub(f32x4.mul(sigmoid4(f32x4.add(x, x)), f32x4.splat(2)), f32x4.splat(1));
}

/** Derivative of a sigmoid, from its value. */
@inline
export function ofSigmoid(value: v128): v128 {
  return f32x4.mul(value, f32x4.sub(f32x4.splat(1), value));
}

/** Derivative of a tanh, from its value. */
@inline
export function ofTanh(value: v128): v128 {
  return f32x4.sub(f32x4.splat(1), f32x4.mul(value, value));
}
