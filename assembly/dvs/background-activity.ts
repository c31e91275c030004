/**
 * Which events have enough neighbours with a recent event, see
 * src/sensors/dvs/filters/background-activity.ts.
 *
 * The maps hold the time of each pixel's last event as u32, µs since `baseUs`, 0 for none; `stride`
 * pixels a row, with a border of one pixel on every side.
 *
 * @param off address of the map of OFF events; that of ON events, `on`, may be the same
 * @param baseUs at least `supportUs` + 1 before the first event, less than 2^32 before the last
 * @param kept room for `count` indices, u32
 * @returns how many events are kept
 */
export function selectSupported(
  timeUs: usize, x: usize, y: usize, polarity: usize, count: usize,
  off: usize, on: usize, stride: usize, baseUs: f64, supportUs: u32, supportMin: u32, kept: usize,
): u32 {
  const row = stride << 2;
  let to = kept;
  for (let i: usize = 0; i < count; i++) {
    const place = ((<usize>load<u16>(y + (i << 1)) + 1) * stride
      + <usize>load<u16>(x + (i << 1)) + 1) << 2;
    const at = (load<u8>(polarity + i) == 1 ? on : off) + place;
    const elapsedUs = <u32>(load<f64>(timeUs + (i << 3)) - baseUs);
    const sinceUs = elapsedUs - supportUs;
    const since = i32x4.splat(sinceUs);
    // Columns x - 1 … x + 2 of the rows above and below. The pixels beside are loaded one by one:
    // they were often written just now, and a wide load of a narrow store has to wait for it.
    const above = i32x4.bitmask(i32x4.ge_u(v128.load(at - row - 4), since)) & 0b0111;
    const below = i32x4.bitmask(i32x4.ge_u(v128.load(at + row - 4), since)) & 0b0111;
    const beside = u32(load<u32>(at - 4) >= sinceUs) + u32(load<u32>(at + 4) >= sinceUs);
    const support = popcnt(above | (below << 4)) + beside;
    store<u32>(to, <u32>i);
    to += <usize>(<u32>support >= supportMin) << 2;
    store<u32>(at, elapsedUs);
  }
  return <u32>((to - kept) >> 2);
}

/** Makes the times of a map of `count` pixels `shiftUs` less; those that come before 1 become 0. */
export function rebaseMap(map: usize, count: usize, shiftUs: f64): void {
  const end = map + (count << 2);
  for (let at = map; at < end; at += 4) {
    const elapsedUs = <f64>load<u32>(at);
    if (elapsedUs != 0) store<u32>(at, <u32>min<f64>(max<f64>(elapsedUs - shiftUs, 0), 4294967295));
  }
}
