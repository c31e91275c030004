import { storeBytes, storeTimes } from "./lanes";

/** The columns of one packet of `count` events, one behind the other: f64, u16, u16, u8. */
@inline
function columnX(packet: usize, count: usize): usize {
  return packet + (count << 3);
}
@inline
function columnY(packet: usize, count: usize): usize {
  return packet + count * 10;
}
@inline
function columnOn(packet: usize, count: usize): usize {
  return packet + count * 12;
}

/** Lane i becomes the sum of lanes 0 … i, plus `before`. */
@inline
function prefixSum(v: v128, before: v128): v128 {
  const zero = i32x4.splat(0);
  const one = i32x4.add(v, v128.shuffle<i32>(zero, v, 3, 4, 5, 6));
  const two = i32x4.add(one, v128.shuffle<i32>(zero, one, 2, 3, 4, 5));
  return i32x4.add(two, before);
}

@inline
function convertTimes(target: usize, first: v128, v: v128): void {
  const high = v128.shuffle<i64>(v, v, 1, 1);
  v128.store(target, f64x2.add(first, f64x2.convert_low_i32x4_u(v)));
  v128.store(target, f64x2.add(first, f64x2.convert_low_i32x4_u(high)), 16);
}

/**
 * Events of soa1, see src/wire/soa1.ts.
 *
 * @param from the bytes, 6 per event
 * @param packet room for the columns
 * @returns true if all events are on the sensor
 */
export function decodeSoa1(
  from: usize, packet: usize, count: usize, width: u32, height: u32, firstUs: f64,
): bool {
  const xs = from + (count << 1);
  const ys = from + (count << 2);
  const right = width - 1;
  const bottom = height - 1;
  const first = f64x2.splat(firstUs);
  const rights = i16x8.splat(<i16>right);
  const bottoms = i16x8.splat(<i16>bottom);
  // The first gap is not one.
  let sum = i32x4.splat(-<i32>load<u16>(from));
  let outside = i16x8.splat(0);
  let i: usize = 0;
  for (; i + 8 <= count; i += 8) {
    const gaps = v128.load(from + (i << 1));
    const low = prefixSum(i32x4.extend_low_i16x8_u(gaps), sum);
    const high = prefixSum(
      i32x4.extend_high_i16x8_u(gaps), v128.shuffle<i32>(low, low, 3, 3, 3, 3),
    );
    sum = v128.shuffle<i32>(high, high, 3, 3, 3, 3);
    convertTimes(packet + (i << 3), first, low);
    convertTimes(packet + (i << 3) + 32, first, high);
    const column = v128.load(xs + (i << 1));
    const y = v128.load(ys + (i << 1));
    const row = v128.and(y, i16x8.splat(0x7fff));
    v128.store(columnX(packet, count) + (i << 1), column);
    v128.store(columnY(packet, count) + (i << 1), row);
    storeBytes(columnOn(packet, count) + i, i16x8.shr_u(y, 15));
    outside = v128.or(outside, v128.or(i16x8.gt_u(column, rights), i16x8.gt_u(row, bottoms)));
  }
  let isOutside = v128.any_true(outside);
  let elapsed = i32x4.extract_lane(sum, 0);
  for (; i < count; i++) {
    elapsed += load<u16>(from + (i << 1));
    const column = <u32>load<u16>(xs + (i << 1));
    const y = <u32>load<u16>(ys + (i << 1));
    store<f64>(packet + (i << 3), firstUs + <f64>elapsed);
    store<u16>(columnX(packet, count) + (i << 1), column);
    store<u16>(columnY(packet, count) + (i << 1), y & 0x7fff);
    store<u8>(columnOn(packet, count) + i, y >>> 15);
    isOutside = isOutside || column > right || (y & 0x7fff) > bottom;
  }
  return !isOutside;
}

/** Added to a whole number from 0 to 2^52 − 1, leaves it in the low bits of the sum's. */
const TWO_TO_52: f64 = 4503599627370496;
/** The upper halves of such sums of less than 2^32. */
const UPPER_HALF: i32 = 0x43300000;

/**
 * Four gaps as u32; what is not 0 to 65,535, or not whole, leaves bits in `faults`.
 *
 * @param times address of the time behind the first gap
 */
@inline
function fourGaps(times: usize): v128 {
  const shift = f64x2.splat(TWO_TO_52);
  const low = f64x2.sub(v128.load(times), v128.load(times - 8));
  const high = f64x2.sub(v128.load(times, 16), v128.load(times - 8, 16));
  const lowBits = f64x2.add(low, shift);
  const highBits = f64x2.add(high, shift);
  const isBroken = v128.or(
    f64x2.ne(f64x2.sub(lowBits, shift), low), f64x2.ne(f64x2.sub(highBits, shift), high),
  );
  const gaps = v128.shuffle<i32>(lowBits, highBits, 0, 2, 4, 6);
  const upper = v128.shuffle<i32>(lowBits, highBits, 1, 3, 5, 7);
  const beyond = v128.or(
    v128.xor(upper, i32x4.splat(UPPER_HALF)), i32x4.shr_u(gaps, 16),
  );
  faults = v128.or(isBroken, beyond);
  return gaps;
}

/** What fourGaps() has found; each call overwrites it. */
let faults: v128 = i16x8.splat(0);

@inline
function storeEvent(
  x: usize, y: usize, on: usize, to: usize, count: usize, i: usize, gap: u32,
): void {
  store<u16>(to + (i << 1), gap);
  store<u16>(to + ((count + i) << 1), load<u16>(x + (i << 1)));
  const polarity = <u32>(load<u8>(on + i) != 0) << 15;
  store<u16>(to + ((2 * count + i) << 1), <u32>load<u16>(y + (i << 1)) | polarity);
}

/**
 * Events as soa1, up to the first that soa1 cannot hold.
 *
 * @param timeUs column of event 0, like `x`, `y` and `on`
 * @param to room for 6 bytes per event and 16 more
 * @returns how many events from the beginning are written; the rest must be looked at one by one
 */
export function encodeSoa1(
  timeUs: usize, x: usize, y: usize, on: usize, to: usize, count: usize, width: u32, height: u32,
): usize {
  const firstUs = load<f64>(timeUs);
  // Neither NaN nor infinite.
  if (firstUs - firstUs != 0 || load<u16>(x) >= width || load<u16>(y) >= height) return 0;
  storeEvent(x, y, on, to, count, 0, 0);
  const rights = i16x8.splat(<i16>(width - 1));
  const bottoms = i16x8.splat(<i16>(height - 1));
  let i: usize = 1;
  for (; i + 8 <= count; i += 8) {
    const times = timeUs + (i << 3);
    const low = fourGaps(times);
    const lowFaults = faults;
    const high = fourGaps(times + 32);
    const column = v128.load(x + (i << 1));
    const row = v128.load(y + (i << 1));
    const outside = v128.or(i16x8.gt_u(column, rights), i16x8.gt_u(row, bottoms));
    if (v128.any_true(v128.or(v128.or(lowFaults, faults), outside))) break;
    const isOn = i16x8.ne(v128.load8x8_u(on + i), i16x8.splat(0));
    v128.store(to + (i << 1), i16x8.narrow_i32x4_u(low, high));
    v128.store(to + ((count + i) << 1), column);
    v128.store(
      to + ((2 * count + i) << 1),
      v128.or(row, v128.and(isOn, i16x8.splat(<i16>0x8000))),
    );
  }
  for (; i < count; i++) {
    const gap = load<f64>(timeUs + (i << 3)) - load<f64>(timeUs + (i << 3) - 8);
    const isGap = gap >= 0 && gap <= 65535 && gap == Math.floor(gap);
    if (!isGap || load<u16>(x + (i << 1)) >= width || load<u16>(y + (i << 1)) >= height) break;
    storeEvent(x, y, on, to, count, i, <u32>gap);
  }
  return i;
}
