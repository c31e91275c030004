/** All ones in a lane whose time is not before `since`, which counts as −1. */
@inline
function supports(times: v128, since: v128): v128 {
  return f64x2.ge(times, since);
}

/** The f64 at two addresses. */
@inline
function pair(a: usize, b: usize): v128 {
  return v128.load64_lane(b, v128.load64_zero(a), 1);
}

/**
 * Which events have enough neighbours with a recent event, see
 * src/sensors/dvs/filters/background-activity.ts.
 *
 * @param off f64 map of last times of OFF events, `stride` pixels a row, with a border of one pixel
 *   on every side; `on`, that of ON events, may be the same
 * @param kept room for `count` indices, u32
 * @returns how many events are kept
 */
export function selectSupported(
  timeUs: usize, x: usize, y: usize, polarity: usize, count: usize,
  off: usize, on: usize, stride: usize, supportUs: f64, supportMin: i32, kept: usize,
): u32 {
  const row = stride << 3;
  let to = kept;
  for (let i: usize = 0; i < count; i++) {
    const place = ((<usize>load<u16>(y + (i << 1)) + 1) * stride
      + <usize>load<u16>(x + (i << 1)) + 1) << 3;
    const at = (load<u8>(polarity + i) == 1 ? on : off) + place;
    const eventUs = load<f64>(timeUs + (i << 3));
    const since = f64x2.splat(eventUs - supportUs);
    const above = at - row;
    const below = at + row;
    const counts = i64x2.add(
      i64x2.add(
        supports(v128.load(above - 8), since),
        supports(v128.load(below - 8), since),
      ),
      i64x2.add(
        supports(pair(above + 8, below + 8), since),
        supports(pair(at - 8, at + 8), since),
      ),
    );
    const support = -<i32>(i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1));
    store<u32>(to, <u32>i);
    to += <usize>(support >= supportMin) << 2;
    store<f64>(at, eventUs);
  }
  return <u32>((to - kept) >> 2);
}
