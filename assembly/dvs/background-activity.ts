import { copyListed } from "./gather";

/** Events that are prepared at once; their places and times stay in the first-level cache. */
const BLOCK: usize = 512;
/** Whole numbers from 0 to 2^32 − 1, added to this, are the low halves of the sum's 64 bits. */
const LOW_HALF: f64 = 4503599627370496;

/** Four numbers of 0 … 2^32 − 1, µs from `baseUs` to the times from `timeUs` on. */
@inline
function elapsedOf(timeUs: usize, baseUs: v128): v128 {
  const a = f64x2.add(f64x2.sub(v128.load(timeUs), baseUs), f64x2.splat(LOW_HALF));
  const b = f64x2.add(f64x2.sub(v128.load(timeUs, 16), baseUs), f64x2.splat(LOW_HALF));
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

/** Offset in a map, bytes, of four pixels. */
@inline
function placesOf(x: v128, y: v128, stride: v128): v128 {
  const one = i32x4.splat(1);
  return i32x4.shl(i32x4.add(i32x4.mul(i32x4.add(y, one), stride), i32x4.add(x, one)), 2);
}

/**
 * Writes the place in a map, bytes, and the time of eight events at a time, and perhaps of seven
 * events behind the last one.
 */
@inline
function prepare(
  timeUs: usize, x: usize, y: usize, count: usize, stride: u32, baseUs: f64,
  places: usize, times: usize,
): void {
  const strides = i32x4.splat(stride);
  const base = f64x2.splat(baseUs);
  for (let i: usize = 0; i < count; i += 8) {
    const columns = v128.load(x + (i << 1));
    const rows = v128.load(y + (i << 1));
    v128.store(places + (i << 2), placesOf(
      i32x4.extend_low_i16x8_u(columns), i32x4.extend_low_i16x8_u(rows), strides));
    v128.store(places + (i << 2), placesOf(
      i32x4.extend_high_i16x8_u(columns), i32x4.extend_high_i16x8_u(rows), strides), 16);
    v128.store(times + (i << 2), elapsedOf(timeUs + (i << 3), base));
    v128.store(times + (i << 2), elapsedOf(timeUs + (i << 3) + 32, base), 16);
  }
}

/** True if one of the neighbours above, below (columns x − 1 … x + 2 of those rows) or beside is recent. */
@inline
function isSupported(at: usize, row: usize, sinceUs: u32): u32 {
  const since = i32x4.splat(sinceUs);
  const latest = i32x4.max_u(v128.load(at - row - 4), v128.load(at + row - 4));
  return u32((i32x4.bitmask(i32x4.ge_u(latest, since)) & 0b0111) != 0)
    | u32(load<u32>(at - 4) >= sinceUs) | u32(load<u32>(at + 4) >= sinceUs);
}

@inline
function supportOf(at: usize, row: usize, sinceUs: u32): u32 {
  const since = i32x4.splat(sinceUs);
  const above = i32x4.bitmask(i32x4.ge_u(v128.load(at - row - 4), since)) & 0b0111;
  const below = i32x4.bitmask(i32x4.ge_u(v128.load(at + row - 4), since)) & 0b0111;
  return popcnt(above | (below << 4))
    + u32(load<u32>(at - 4) >= sinceUs) + u32(load<u32>(at + 4) >= sinceUs);
}

/** Copies the events of a block that are kept to the end of the columns `to`, while they are at hand. */
@inline
function copyKept(
  timeUs: usize, x: usize, y: usize, on: usize, kept: usize, from: usize, to: usize,
  outTimeUs: usize, outX: usize, outY: usize, outOn: usize,
): void {
  const before = (from - kept) >> 2;
  copyListed(
    timeUs, x, y, on, from, (to - from) >> 2,
    outTimeUs + (before << 3), outX + (before << 1), outY + (before << 1), outOn + before,
  );
}

/**
 * Copies events that have enough neighbours with a recent event, see
 * src/sensors/dvs/filters/background-activity.ts.
 *
 * The maps hold the time of each pixel's last event as u32, µs since `baseUs`, 0 for none; `stride`
 * pixels a row, with a border of one pixel on every side.
 *
 * Places and times are computed before, so that the loop that waits for the maps, which do not fit
 * the cache, is short and many of its rounds wait together. The pixels beside are loaded one by one:
 * they were often written just now, and a wide load of a narrow store has to wait for it.
 *
 * @param off address of the map of OFF events; that of ON events, `on`, may be the same
 * @param baseUs at least `supportUs` + 1 before the first event, less than 2^32 before the last
 * @param scratch room for 2 · 512 u32
 * @param kept room for `count` indices, u32: of the events copied
 * @param outTimeUs column to copy to, like `outX`, `outY` and `outOn`
 * @returns how many events are kept
 */
export function selectSupported(
  timeUs: usize, x: usize, y: usize, polarity: usize, count: usize,
  off: usize, on: usize, stride: u32, baseUs: f64, supportUs: u32, supportMin: u32,
  scratch: usize, kept: usize, outTimeUs: usize, outX: usize, outY: usize, outOn: usize,
): u32 {
  const row = <usize>stride << 2;
  const times = scratch + (BLOCK << 2);
  let to = kept;
  for (let from: usize = 0; from < count; from += BLOCK) {
    const length = min(BLOCK, count - from);
    const first = to;
    prepare(timeUs + (from << 3), x + (from << 1), y + (from << 1), length, stride, baseUs, scratch, times);
    if (supportMin == 1 && on == off) {
      for (let i: usize = 0; i < length; i++) {
        const at = on + <usize>load<u32>(scratch + (i << 2));
        const elapsedUs = load<u32>(times + (i << 2));
        store<u32>(to, <u32>(from + i));
        to += <usize>isSupported(at, row, elapsedUs - supportUs) << 2;
        store<u32>(at, elapsedUs);
      }
    } else {
      for (let i: usize = 0; i < length; i++) {
        const map = load<u8>(polarity + from + i) == 1 ? on : off;
        const at = map + <usize>load<u32>(scratch + (i << 2));
        const elapsedUs = load<u32>(times + (i << 2));
        store<u32>(to, <u32>(from + i));
        to += <usize>(supportOf(at, row, elapsedUs - supportUs) >= supportMin) << 2;
        store<u32>(at, elapsedUs);
      }
    }
    copyKept(timeUs, x, y, polarity, kept, first, to, outTimeUs, outX, outY, outOn);
  }
  return <u32>((to - kept) >> 2);
}

/** Addresses in a map of u16 of four pixels; `origin` is that of pixel 0, 0. */
@inline
function addressesOf(x: v128, y: v128, stride: v128, origin: v128): v128 {
  return i32x4.add(i32x4.shl(i32x4.add(i32x4.mul(y, stride), x), 1), origin);
}

/**
 * As prepare() for a map of u16: addresses, times and `supportUs` + 1 before these, which support no
 * more.
 */
@inline
function prepareNarrow(
  timeUs: usize, x: usize, y: usize, count: usize, map: usize, stride: u32, baseUs: f64,
  supportUs: u32, addresses: usize, times: usize, limits: usize,
): void {
  const strides = i32x4.splat(stride);
  const base = f64x2.splat(baseUs);
  const origin = i32x4.splat(<i32>(map + ((<usize>stride + 1) << 1)));
  const support = i16x8.splat(<i16>(supportUs + 1));
  for (let i: usize = 0; i < count; i += 8) {
    const columns = v128.load(x + (i << 1));
    const rows = v128.load(y + (i << 1));
    v128.store(addresses + (i << 2), addressesOf(
      i32x4.extend_low_i16x8_u(columns), i32x4.extend_low_i16x8_u(rows), strides, origin));
    v128.store(addresses + (i << 2), addressesOf(
      i32x4.extend_high_i16x8_u(columns), i32x4.extend_high_i16x8_u(rows), strides, origin), 16);
    const elapsedUs = i16x8.narrow_i32x4_u(
      elapsedOf(timeUs + (i << 3), base), elapsedOf(timeUs + (i << 3) + 32, base));
    v128.store(times + (i << 1), elapsedUs);
    v128.store(limits + (i << 1), i16x8.sub(elapsedUs, support));
  }
}

/** As isSupported(): lanes 0 to 2 are the neighbours above and below, 3 and 4 those beside. */
@inline
function isSupportedNarrow(at: usize, row: usize, limit: usize): u32 {
  const latest = i16x8.max_u(v128.load64_zero(at - row - 2), v128.load64_zero(at + row - 2));
  const left = v128.load16_lane(at - 2, latest, 3);
  const all = v128.load16_lane(at + 2, left, 4);
  return u32(v128.any_true(i16x8.sub_sat_u(all, v128.load_splat<u16>(limit))));
}

/**
 * As selectSupported() for a support of one neighbour of any polarity, with a map of u16: half of
 * the cache's lines.
 *
 * @param baseUs at least `supportUs` + 1 before the first event, less than 2^16 before the last
 */
export function selectNarrow(
  timeUs: usize, x: usize, y: usize, polarity: usize, count: usize,
  map: usize, stride: u32, baseUs: f64, supportUs: u32,
  scratch: usize, kept: usize, outTimeUs: usize, outX: usize, outY: usize, outOn: usize,
): u32 {
  const row = <usize>stride << 1;
  const times = scratch + (BLOCK << 2);
  const limits = times + (BLOCK << 1);
  let to = kept;
  for (let from: usize = 0; from < count; from += BLOCK) {
    const length = min(BLOCK, count - from);
    const first = to;
    prepareNarrow(
      timeUs + (from << 3), x + (from << 1), y + (from << 1), length, map, stride, baseUs,
      supportUs, scratch, times, limits,
    );
    for (let i: usize = 0; i < length; i++) {
      const at = <usize>load<u32>(scratch + (i << 2));
      store<u32>(to, <u32>(from + i));
      to += <usize>isSupportedNarrow(at, row, limits + (i << 1)) << 2;
      store<u16>(at, load<u16>(times + (i << 1)));
    }
    copyKept(timeUs, x, y, polarity, kept, first, to, outTimeUs, outX, outY, outOn);
  }
  return <u32>((to - kept) >> 2);
}

/** As rebaseMap() for a map of u16 of `count` pixels and up to seven more; `shiftUs` up to 65,535. */
export function rebaseNarrow(map: usize, count: usize, shiftUs: u32): void {
  const shift = i16x8.splat(<i16>shiftUs);
  for (let at = map; at < map + (count << 1); at += 16) {
    v128.store(at, i16x8.sub_sat_u(v128.load(at), shift));
  }
}

/** Writes the times of a map of u16 to one of u32, of the same base. */
export function widenMap(narrow: usize, wide: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    store<u32>(wide + (i << 2), <u32>load<u16>(narrow + (i << 1)));
  }
}

/** Makes the times of a map of `count` pixels `shiftUs` less; those that come before 1 become 0. */
export function rebaseMap(map: usize, count: usize, shiftUs: f64): void {
  const end = map + (count << 2);
  for (let at = map; at < end; at += 4) {
    const elapsedUs = <f64>load<u32>(at);
    if (elapsedUs != 0) store<u32>(at, <u32>min<f64>(max<f64>(elapsedUs - shiftUs, 0), 4294967295));
  }
}
