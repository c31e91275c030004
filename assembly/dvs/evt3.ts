import { laneAt, ordinals, prefixMax, storeBytes, storeTimes, swizzleOf } from "./lanes";
import { WordRun } from "./word-run";

const TYPE_Y: u32 = 0;
const TYPE_X: u32 = 2;
const TYPE_BASE_X: u32 = 3;
const TYPE_VECTOR_12: u32 = 4;
const TYPE_VECTOR_8: u32 = 5;
const TYPE_TIME_LOW: u32 = 6;
const TYPE_TIME_HIGH: u32 = 8;
const TIME_HIGH_US: f64 = 4096;

/**
 * Writes u16 [256][8]: which bits of a byte are ones; those first, behind them what was there.
 *
 * @param ones address of 4096 bytes
 */
export function writeOnes(ones: usize): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let at = ones + (<usize>byte << 4);
    for (let rest = byte; rest != 0; rest &= rest - 1) {
      store<u16>(at, <u16>ctz(rest));
      at += 2;
    }
  }
}

@inline
function onesOf(run: WordRun, mask: u32): v128 {
  return v128.load(run.ones + (<usize>mask << 4));
}

@inline
function lastUs(run: WordRun): f64 {
  return run.count > 0 ? load<f64>(run.timeUs + (<usize>run.count << 3) - 8) : run.lastUs;
}

/**
 * Words of ADDR_X, ADDR_Y and TIME_LOW, eight at a time, up to the first that is of another type
 * or not regular, or a few before that. Needs a row.
 *
 * Every lane gets the last row and low time before it by a running maximum of numbers that grow
 * with the lane; then the lanes of ADDR_X are moved together and written as events.
 *
 * @returns address of the first word not decoded
 */
@inline
function decodeEights(run: WordRun, from: usize, end: usize): usize {
  if (lastUs(run) > run.baseUs + <f64>run.timeLow) return from;
  const baseUs = run.baseUs;
  const room = run.room;
  const widths = i16x8.splat(<i16>min<u32>(run.width, 2048));
  const heights = i16x8.splat(<i16>min<u32>(run.height, 2048));
  const cameras = i16x8.splat(<i16>run.camera);
  const lanes = ordinals();
  let row = run.row;
  let timeLow = run.timeLow;
  let count = run.count;
  let at = from;
  while (at + 16 <= end && count + 8 <= room) {
    const words = v128.load(at);
    const types = i16x8.shr_u(words, 12);
    const values = v128.and(words, i16x8.splat(0x7ff));
    const flags = v128.and(i16x8.shr_u(words, 11), i16x8.splat(1));
    const isX = i16x8.eq(types, i16x8.splat(<i16>TYPE_X));
    const isY = i16x8.eq(types, i16x8.splat(<i16>TYPE_Y));
    const isLow = i16x8.eq(types, i16x8.splat(<i16>TYPE_TIME_LOW));
    const common = i16x8.bitmask(v128.or(v128.or(isX, isY), isLow));
    const taken = ctz(~common | 0x100);
    if (taken == 0) break;
    const isTaken = i16x8.le_s(lanes, i16x8.splat(<i16>taken));
    const rowKeys = v128.and(isY, v128.or(i16x8.shl(lanes, 11), values));
    const rows = v128.and(
      prefixMax(i16x8.max_u(rowKeys, i16x8.splat(<i16>row))), i16x8.splat(0x7ff),
    );
    const lowKeys = v128.and(
      isLow, v128.or(i16x8.shl(lanes, 12), v128.and(words, i16x8.splat(0xfff))),
    );
    const lows = v128.and(
      prefixMax(i16x8.max_u(lowKeys, i16x8.splat(<i16>timeLow))), i16x8.splat(0xfff),
    );
    const before = v128.shuffle<i16>(
      i16x8.splat(<i16>timeLow), lows, 7, 8, 9, 10, 11, 12, 13, 14,
    );
    const badX = v128.and(isX, i16x8.ge_s(values, widths));
    const badY = v128.and(isY, v128.or(i16x8.ge_s(values, heights), i16x8.ne(flags, cameras)));
    const bad = v128.or(v128.or(badX, badY), i16x8.gt_s(before, lows));
    if (v128.any_true(v128.and(bad, isTaken))) break;
    const events = i16x8.bitmask(v128.and(isX, isTaken));
    const order = swizzleOf(onesOf(run, events));
    storeTimes(run.timeUs + (<usize>count << 3), baseUs, i8x16.swizzle(lows, order));
    v128.store(run.x + (<usize>count << 1), i8x16.swizzle(values, order));
    v128.store(run.y + (<usize>count << 1), i8x16.swizzle(rows, order));
    storeBytes(run.on + count, i8x16.swizzle(flags, order));
    count += popcnt(events);
    row = laneAt(rows, taken - 1);
    timeLow = laneAt(lows, taken - 1);
    at += <usize>taken << 1;
    if (taken < 8) break;
  }
  run.row = row;
  run.timeLow = timeLow;
  run.count = count;
  return at;
}

/**
 * Words of VECT_BASE_X, VECT_12 and VECT_8 up to the first that is of another type or not regular.
 * Needs a row.
 *
 * @returns address of the first word not decoded
 */
@inline
function decodeVectors(run: WordRun, from: usize, end: usize): usize {
  const eventUs = run.baseUs + <f64>run.timeLow;
  if (eventUs < lastUs(run)) return from;
  const time = f64x2.splat(eventUs);
  const row = i16x8.splat(<i16>run.row);
  const width = <i32>run.width;
  const room = run.room;
  let baseX = run.baseX;
  let baseOn = run.baseOn;
  let count = run.count;
  let at = from;
  for (; at < end && count < room; at += 2) {
    const word = <u32>load<u16>(at);
    const type = word >>> 12;
    if (type == TYPE_BASE_X) {
      baseX = word & 0x7ff;
      baseOn = (word >>> 11) & 1;
      continue;
    }
    if (type != TYPE_VECTOR_12 && type != TYPE_VECTOR_8) break;
    const pixels = 12 - ((type - TYPE_VECTOR_12) << 2);
    if (baseX < 0 || baseX + pixels > width) break;
    const mask = word & ((1 << pixels) - 1);
    storeVector(run, count, mask, baseX, row, baseOn, time);
    count += popcnt(mask);
    baseX += pixels;
  }
  run.baseX = baseX;
  run.baseOn = baseOn;
  run.count = count;
  return at;
}

/** An event for each one in `mask`, 12 bits, from column `from` on; writes up to 16 in any case. */
@inline
function storeVector(
  run: WordRun, count: u32, mask: u32, from: i32, row: v128, on: i32, time: v128,
): void {
  const times = run.timeUs + (<usize>count << 3);
  v128.store(times, time);
  v128.store(times, time, 16);
  v128.store(times, time, 32);
  v128.store(times, time, 48);
  v128.store(times, time, 64);
  v128.store(times, time, 80);
  const rows = run.y + (<usize>count << 1);
  v128.store(rows, row);
  v128.store64_lane(rows, row, 0, 16);
  v128.store(run.on + count, i8x16.splat(<i8>on));
  const columns = run.x + (<usize>count << 1);
  const next = columns + (<usize>popcnt(mask & 0xff) << 1);
  v128.store(columns, i16x8.add(onesOf(run, mask & 0xff), i16x8.splat(<i16>from)));
  v128.store(next, i16x8.add(onesOf(run, mask >>> 8), i16x8.splat(<i16>(from + 8))));
}

/** @returns true if the word is a regular event; then it has been decoded */
@inline
function decodeEvent(run: WordRun, word: u32): bool {
  const column = word & 0x7ff;
  const eventUs = run.baseUs + <f64>run.timeLow;
  if (run.row < 0 || column >= run.width || eventUs < lastUs(run)) return false;
  const count = run.count;
  store<f64>(run.timeUs + (<usize>count << 3), eventUs);
  store<u16>(run.x + (<usize>count << 1), column);
  store<u16>(run.y + (<usize>count << 1), run.row);
  store<u8>(run.on + count, (word >>> 11) & 1);
  run.count = count + 1;
  return true;
}

/** @returns true if the word is a regular TIME_HIGH; then time has gone on */
@inline
function decodeTimeHigh(run: WordRun, word: u32): bool {
  const timeHigh = <i32>(word & 0xfff);
  const step = timeHigh - run.timeHigh;
  if (step < 0 || step > run.timeHighStepMax) return false;
  if (step > 0) {
    run.baseUs += <f64>step * TIME_HIGH_US;
    run.timeHigh = timeHigh;
    run.timeLow = 0;
  }
  return true;
}

/** @returns true if the word is regular; then it has been decoded */
@inline
function decodeWord(run: WordRun, word: u32): bool {
  const type = word >>> 12;
  if (type == TYPE_X) return decodeEvent(run, word);
  if (type == TYPE_TIME_HIGH) return decodeTimeHigh(run, word);
  if (type == TYPE_TIME_LOW) {
    run.timeLow = word & 0xfff;
    return true;
  }
  if (type != TYPE_Y || ((word >>> 11) & 1) != run.camera || (word & 0x7ff) >= run.height) {
    return false;
  }
  run.row = word & 0x7ff;
  return true;
}

/**
 * Regular words of EVT 3.0, see src/sensors/dvs/codecs/prophesee/evt3-payload.ts: events on the
 * sensor and in order, rows of the camera decoded, and TIME_HIGH that repeats or goes forward by
 * at most `timeHighStepMax`. `row`, `baseX` and `camera` are below 0 where they are not known.
 *
 * @param from address of the first word
 * @param end address behind the last one
 * @returns address of the first word that is not regular, or for which there is no room
 */
export function evt3(run: WordRun, from: usize, end: usize): usize {
  const room = run.room;
  run.count = 0;
  let at = from;
  while (at < end && run.count < room) {
    const before = at;
    if (run.row >= 0) {
      at = decodeEights(run, at, end);
      at = decodeVectors(run, at, end);
    }
    if (at != before) continue;
    if (!decodeWord(run, load<u16>(at))) break;
    at += 2;
  }
  run.lastUs = lastUs(run);
  return at;
}
