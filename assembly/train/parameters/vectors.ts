/** Sum of the squares of `count` float32, in float64. */
export function squaredNorm(values: usize, count: usize): f64 {
  const end = values + (count << 2);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; values + 16 <= end; values += 16) {
    const four = v128.load(values);
    const first = f64x2.promote_low_f32x4(four);
    const second = f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; values < end; values += 4) {
    const value: f64 = load<f32>(values);
    sum += value * value;
  }
  return sum;
}

/** Multiplies `count` float32 with a factor. */
export function scale(values: usize, count: usize, factor: f32): void {
  const end = values + (count << 2);
  for (; values + 16 <= end; values += 16) {
    v128.store(values, f32x4.mul(v128.load(values), f32x4.splat(factor)));
  }
  for (; values < end; values += 4) store<f32>(values, load<f32>(values) * factor);
}

/** average = keep · average + rest · values, `count` of each. */
export function updateAverage(
  average: usize,
  values: usize,
  count: usize,
  keep: f32,
  rest: f32,
): void {
  const end = values + (count << 2);
  for (; values + 16 <= end; values += 16, average += 16) {
    const held = f32x4.mul(v128.load(average), f32x4.splat(keep));
    v128.store(average, f32x4.add(held, f32x4.mul(v128.load(values), f32x4.splat(rest))));
  }
  for (; values < end; values += 4, average += 4) {
    store<f32>(average, load<f32>(average) * keep + load<f32>(values) * rest);
  }
}
