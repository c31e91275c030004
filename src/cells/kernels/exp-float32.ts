const { fround } = Math;

/** Beyond ±40 a sigmoid is 0 or 1 in float32, and (1 + e^40)² still is a finite float32. */
const LIMIT = 40;
const LOG2_E: number = fround(Math.LOG2E);
// ln 2 in two parts, the first with so few bits that n · LN2_HIGH is exact (Cody & Waite).
const LN2_HIGH: number = fround(0.693359375);
const LN2_LOW: number = fround(-2.1219444e-4);
// Minimax polynomial of Cephes expf on ±ln 2 / 2.
const P0: number = fround(1.98756915e-4);
const P1: number = fround(1.3981999507e-3);
const P2: number = fround(8.3334519073e-3);
const P3: number = fround(4.1665795894e-2);
const P4: number = fround(1.6666665459e-1);
const P5: number = fround(5.0000001201e-1);
/** Adding and subtracting 1.5 · 2^23 rounds a small float32 to the nearest even integer. */
const ROUNDER = 12582912;

const LEAST_EXPONENT = -58;
const powersOfTwo: Float32Array = Float32Array.from(
  { length: 1 - 2 * LEAST_EXPONENT },
  (_, i) => 2 ** (i + LEAST_EXPONENT),
);

/**
 * e^x in float32 for x clamped to ±40, one rounding per operation and in a fixed order, so that
 * every machine, and the SIMD kernel, gets the same bits. Error ≤ 2 ulp.
 */
export function expFloat32(x: number): number {
  const v = Math.max(Math.min(x, LIMIT), -LIMIT);
  const n = fround(fround(fround(v * LOG2_E) + ROUNDER) - ROUNDER);
  const r = fround(fround(n * -LN2_LOW) + fround(fround(n * -LN2_HIGH) + v));
  let p = fround(fround(P0 * r) + P1);
  p = fround(fround(p * r) + P2);
  p = fround(fround(p * r) + P3);
  p = fround(fround(p * r) + P4);
  p = fround(fround(p * r) + P5);
  const e = fround(fround(p * fround(r * r)) + fround(r + 1));
  return fround(e * powersOfTwo[(n | 0) - LEAST_EXPONENT]!);
}
