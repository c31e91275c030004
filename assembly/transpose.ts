// Four rows become four columns in two steps: halves of two rows, lane by lane, then pairs.

@inline
export function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

@inline
export function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

@inline
export function firstPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 0, 2);
}

@inline
export function secondPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 1, 3);
}

/** The floats of four units. */
@inline
export function gather(source: usize, a: usize, b: usize, c: usize, d: usize): v128 {
  let out = v128.load32_zero(source + a);
  out = v128.load_lane<u32>(source + b, out, 1);
  out = v128.load_lane<u32>(source + c, out, 2);
  return v128.load_lane<u32>(source + d, out, 3);
}

/** Writes four units; the same one several times gets the same value each time. */
@inline
export function scatter(
  target: usize, value: v128, a: usize, b: usize, c: usize, d: usize,
): void {
  v128.store_lane<u32>(target + a, value, 0);
  v128.store_lane<u32>(target + b, value, 1);
  v128.store_lane<u32>(target + c, value, 2);
  v128.store_lane<u32>(target + d, value, 3);
}
