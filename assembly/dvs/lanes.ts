/** Numbers in the eight lanes of a u16x8. */

/** 1, 2, … 8. */
@inline
export function ordinals(): v128 {
  return i16x8(1, 2, 3, 4, 5, 6, 7, 8);
}

/** Lane i becomes the largest of lanes 0 … i. */
@inline
export function prefixMax(v: v128): v128 {
  const zero = i16x8.splat(0);
  const one = i16x8.max_u(v, v128.shuffle<i16>(zero, v, 7, 8, 9, 10, 11, 12, 13, 14));
  const two = i16x8.max_u(one, v128.shuffle<i16>(zero, one, 6, 7, 8, 9, 10, 11, 12, 13));
  return i16x8.max_u(two, v128.shuffle<i16>(zero, two, 4, 5, 6, 7, 8, 9, 10, 11));
}

/** Byte indices for a swizzle that moves the 16-bit lanes `ones` lists to the front. */
@inline
export function swizzleOf(ones: v128): v128 {
  return i16x8.add(i16x8.mul(ones, i16x8.splat(0x0202)), i16x8.splat(0x0100));
}

/** Lane `index`, which need not be a constant. */
@inline
export function laneAt(v: v128, index: i32): i32 {
  return i16x8.extract_lane_u(i8x16.swizzle(v, swizzleOf(i16x8.splat(<i16>index))), 0);
}

/** `base` plus each lane, eight f64 at `target`. */
@inline
export function storeTimes(target: usize, base: f64, v: v128): void {
  const from = f64x2.splat(base);
  const low = i32x4.extend_low_i16x8_u(v);
  const high = i32x4.extend_high_i16x8_u(v);
  v128.store(target, f64x2.add(from, f64x2.convert_low_i32x4_u(low)));
  v128.store(target, f64x2.add(from, f64x2.convert_low_i32x4_u(highHalf(low))), 16);
  v128.store(target, f64x2.add(from, f64x2.convert_low_i32x4_u(high)), 32);
  v128.store(target, f64x2.add(from, f64x2.convert_low_i32x4_u(highHalf(high))), 48);
}

@inline
function highHalf(v: v128): v128 {
  return v128.shuffle<i64>(v, v, 1, 1);
}

/** The low bytes of the lanes, eight u8 at `target`. */
@inline
export function storeBytes(target: usize, v: v128): void {
  v128.store64_lane(target, i8x16.narrow_i16x8_u(v, v), 0);
}
