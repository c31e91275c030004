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

/** Two gaps as u32 in the low half, or what is no gap in `faults`. */
let faults: v128 = i16x8.splat(0);

@inline
function twoGaps(times: usize): v128 {
  const gaps = f64x2.sub(v128.load(times), v128.load(times - 8));
  const isWhole = f64x2.eq(gaps, f64x2.floor(gaps));
  const isShort = v128.and(
    f64x2.ge(gaps, f64x2.splat(0)), f64x2.le(gaps, f64x2.splat(65535)),
  );
  faults = v128.or(faults, v128.not(v128.and(isWhole, isShort)));
  return i32x4.trunc_sat_f64x2_u_zero(gaps);
}

/**
 * soa1 of events from the second one of a packet on; the first has no gap and is not written.
 *
 * @param timeUs column of event 0, like `x`, `y` and `on`
 * @param to room for 6 bytes per event and 16 more
 * @returns how many events from the beginning are written; the rest must be looked at one by one
 */
export function encodeSoa1(
  timeUs: usize, x: usize, y: usize, on: usize, to: usize, count: usize, width: u32, height: u32,
): usize {
  const rights = i16x8.splat(<i16>(width - 1));
  const bottoms = i16x8.splat(<i16>(height - 1));
  let i: usize = 1;
  for (; i + 8 <= count; i += 8) {
    faults = i16x8.splat(0);
    const times = timeUs + (i << 3);
    const low = v128.shuffle<i64>(twoGaps(times), twoGaps(times + 16), 0, 2);
    const high = v128.shuffle<i64>(twoGaps(times + 32), twoGaps(times + 48), 0, 2);
    const column = v128.load(x + (i << 1));
    const row = v128.load(y + (i << 1));
    const outside = v128.or(i16x8.gt_u(column, rights), i16x8.gt_u(row, bottoms));
    if (v128.any_true(v128.or(faults, outside))) break;
    const isOn = i16x8.ne(v128.load8x8_u(on + i), i16x8.splat(0));
    v128.store(to + (i << 1), i16x8.narrow_i32x4_u(low, high));
    v128.store(to + ((count + i) << 1), column);
    v128.store(
      to + ((2 * count + i) << 1),
      v128.or(row, v128.and(isOn, i16x8.splat(<i16>0x8000))),
    );
  }
  return i;
}
