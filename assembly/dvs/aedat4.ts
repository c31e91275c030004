import { AddressRun } from "./address-run";

const EVENT_BYTES: usize = 16;
/** Bits of whole numbers from 0 to 2^52 − 1, with those of 2^52 set, are the sum's as f64. */
const TWO_TO_52: f64 = 4503599627370496;
const TWO_TO_52_BITS: i64 = 0x4330000000000000;
const ABOVE_52: i64 = <i64>0xfff0000000000000;

/** Clock readings below 2^52 of two events, as f64. */
@inline
function readingsOf(a: v128, b: v128): v128 {
  const bits = v128.or(v128.shuffle<i64>(a, b, 0, 2), i64x2.splat(TWO_TO_52_BITS));
  return f64x2.sub(bits, f64x2.splat(TWO_TO_52));
}

/** Column and row of four events, 16 bits each. */
@inline
function placesOf(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.shuffle<i32>(
    v128.shuffle<i32>(a, b, 2, 6, 2, 6), v128.shuffle<i32>(c, d, 2, 6, 2, 6), 0, 1, 4, 5,
  );
}

@inline
function polaritiesOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const words = v128.shuffle<i32>(
    v128.shuffle<i32>(a, b, 3, 7, 3, 7), v128.shuffle<i32>(c, d, 3, 7, 3, 7), 0, 1, 4, 5,
  );
  const isOn = i32x4.ne(v128.and(words, i32x4.splat(0xff)), i32x4.splat(0));
  return v128.and(isOn, i32x4.splat(1));
}

/**
 * Four regular events at a time, up to the first four of which one is not.
 *
 * @returns address of the first event not decoded
 */
@inline
function decodeFours(run: AddressRun, from: usize, end: usize): usize {
  const widths = i32x4.splat(run.width);
  const heights = i32x4.splat(run.height);
  const stepMax = f64x2.splat(run.stepMaxUs);
  const offset = f64x2.splat(run.offsetUs);
  const zero = f64x2.splat(0);
  const room = run.room;
  let before = f64x2.splat(run.rawUs);
  let last = f64x2.splat(run.lastUs);
  let count = run.count;
  let at = from;
  for (; at + 4 * EVENT_BYTES <= end && count + 4 <= room; at += 4 * EVENT_BYTES) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const readings = v128.or(v128.or(a, b), v128.or(c, d));
    const low = readingsOf(a, b);
    const high = readingsOf(c, d);
    const lowSteps = f64x2.sub(low, v128.shuffle<i64>(before, low, 1, 2));
    const highSteps = f64x2.sub(high, v128.shuffle<i64>(low, high, 1, 2));
    const isForward = v128.and(f64x2.ge(lowSteps, zero), f64x2.ge(highSteps, zero));
    const isNear = v128.and(f64x2.le(lowSteps, stepMax), f64x2.le(highSteps, stepMax));
    const lowUs = f64x2.add(low, offset);
    const highUs = f64x2.add(high, offset);
    const places = placesOf(a, b, c, d);
    const x = v128.and(places, i32x4.splat(0xffff));
    const y = i32x4.shr_u(places, 16);
    const isOnSensor = v128.and(i32x4.lt_u(x, widths), i32x4.lt_u(y, heights));
    const isRegular = v128.and(
      v128.and(v128.and(isForward, isNear), isOnSensor),
      v128.and(
        f64x2.ge(lowUs, v128.shuffle<i64>(last, lowUs, 1, 2)),
        f64x2.ge(highUs, v128.shuffle<i64>(lowUs, highUs, 1, 2)),
      ),
    );
    if ((i64x2.extract_lane(readings, 0) & ABOVE_52) != 0 || !i32x4.all_true(isRegular)) break;
    const times = run.timeUs + (<usize>count << 3);
    v128.store(times, lowUs);
    v128.store(times, highUs, 16);
    v128.store64_lane(run.x + (<usize>count << 1), i16x8.narrow_i32x4_u(x, x), 0);
    v128.store64_lane(run.y + (<usize>count << 1), i16x8.narrow_i32x4_u(y, y), 0);
    const on = polaritiesOf(a, b, c, d);
    const halves = i16x8.narrow_i32x4_u(on, on);
    v128.store32_lane(run.on + count, i8x16.narrow_i16x8_u(halves, halves), 0);
    before = high;
    last = highUs;
    count += 4;
  }
  run.rawUs = f64x2.extract_lane(before, 1);
  run.lastUs = f64x2.extract_lane(last, 1);
  run.count = count;
  return at;
}

/**
 * Regular events of AEDAT 4, see src/sensors/dvs/codecs/inivation/aedat4-decoder.ts: on the sensor,
 * not before the one before, nor later by more than `stepMaxUs`.
 *
 * @param from address of the first event
 * @param end address behind the last one
 * @returns address of the first event that is not regular, or for which there is no room
 */
export function aedat4(run: AddressRun, from: usize, end: usize): usize {
  run.count = 0;
  let at = decodeFours(run, from, end);
  const width = run.width;
  const height = run.height;
  const room = run.room;
  const stepMaxUs = run.stepMaxUs;
  const offsetUs = run.offsetUs;
  let rawUs = run.rawUs;
  let lastUs = run.lastUs;
  let count = run.count;
  for (; at < end && count < room; at += EVENT_BYTES) {
    const nextUs = <f64>load<i64>(at);
    const x = <u32>load<u16>(at, 8);
    const y = <u32>load<u16>(at, 10);
    const stepUs = nextUs - rawUs;
    const eventUs = nextUs + offsetUs;
    if (!(stepUs >= 0 && stepUs <= stepMaxUs) || x >= width || y >= height) break;
    // A damaged reading may be so large that the sum, which is rounded, comes out before it.
    if (eventUs < lastUs) break;
    rawUs = nextUs;
    lastUs = eventUs;
    store<f64>(run.timeUs + (<usize>count << 3), eventUs);
    store<u16>(run.x + (<usize>count << 1), x);
    store<u16>(run.y + (<usize>count << 1), y);
    store<u8>(run.on + count, load<u8>(at, 12) != 0);
    count++;
  }
  run.rawUs = rawUs;
  run.count = count;
  return at;
}
