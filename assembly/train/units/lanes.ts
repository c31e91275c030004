// Four units side by side: a lane each.

/** The float32 at each of four addresses. */
@inline
export function gather(p: usize, q: usize, r: usize, s: usize): v128 {
  const first = v128.load32_zero(p);
  const pair = v128.load32_lane(q, first, 1);
  return v128.load32_lane(s, v128.load32_lane(r, pair, 2), 3);
}

/** Writes a lane to each of four addresses. */
@inline
export function scatter(p: usize, q: usize, r: usize, s: usize, lanes: v128): void {
  v128.store32_lane(p, lanes, 0);
  v128.store32_lane(q, lanes, 1);
  v128.store32_lane(r, lanes, 2);
  v128.store32_lane(s, lanes, 3);
}

/** Writes four values of each of four units, unit by unit. */
@inline
export function storeFour(
  p: usize,
  q: usize,
  r: usize,
  s: usize,
  a: v128,
  b: v128,
  c: v128,
  d: v128,
): void {
  v128.store(p, transpose0(a, b, c, d));
  v128.store(q, transpose1(a, b, c, d));
  v128.store(r, transpose2(a, b, c, d));
  v128.store(s, transpose3(a, b, c, d));
}

/** Lane 0 of each of four vectors. */
@inline
export function transpose0(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<f32>(lowPairs(a, b), lowPairs(c, d), 0, 1, 4, 5);
}

/** Lane 1 of each of four vectors. */
@inline
export function transpose1(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<f32>(lowPairs(a, b), lowPairs(c, d), 2, 3, 6, 7);
}

/** Lane 2 of each of four vectors. */
@inline
export function transpose2(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<f32>(highPairs(a, b), highPairs(c, d), 0, 1, 4, 5);
}

/** Lane 3 of each of four vectors. */
@inline
export function transpose3(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<f32>(highPairs(a, b), highPairs(c, d), 2, 3, 6, 7);
}

@inline
function lowPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

@inline
function highPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}
