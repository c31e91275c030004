import { storeBytes, storeTimes } from "./lanes";
import { WordRun } from "./word-run";

const TYPE_TIME_HIGH: u32 = 8;
const TIME_HIGH_US: f64 = 64;

/** Eight numbers of at most 16 bits. */
@inline
function eight(a: v128, b: v128, shift: i32, mask: i32): v128 {
  return i16x8.narrow_i32x4_u(
    v128.and(i32x4.shr_u(a, shift), i32x4.splat(mask)),
    v128.and(i32x4.shr_u(b, shift), i32x4.splat(mask)),
  );
}

/** The low time of the last event, as if it were of this TIME_HIGH, in all lanes. */
@inline
function lastLow(lastUs: f64, baseUs: f64): v128 {
  return i16x8.splat(<i16>min<f64>(max<f64>(lastUs - baseUs, 0), 32767));
}

/**
 * Eight events at a time, as long as eight words in a row are regular events.
 *
 * @returns address of the first word not decoded
 */
@inline
function decodeEights(run: WordRun, from: usize, end: usize): usize {
  const room = run.room;
  const widths = i16x8.splat(<i16>min<u32>(run.width, 2048));
  const heights = i16x8.splat(<i16>min<u32>(run.height, 2048));
  let low = lastLow(run.lastUs, run.baseUs);
  let count = run.count;
  let at = from;
  while (at + 32 <= end && count + 8 <= room) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const before = low;
    low = eight(a, b, 22, 0x3f);
    const columns = eight(a, b, 11, 0x7ff);
    const rows = eight(a, b, 0, 0x7ff);
    const earlier = v128.shuffle<i16>(before, low, 7, 8, 9, 10, 11, 12, 13, 14);
    const others = v128.and(v128.or(a, b), i32x4.splat(0xe0000000));
    const outside = v128.or(i16x8.ge_s(columns, widths), i16x8.ge_s(rows, heights));
    if (v128.any_true(v128.or(v128.or(outside, others), i16x8.gt_s(earlier, low)))) break;
    const times = run.timeUs + (<usize>count << 3);
    storeTimes(times, run.baseUs, low);
    v128.store(run.x + (<usize>count << 1), columns);
    v128.store(run.y + (<usize>count << 1), rows);
    storeBytes(run.on + count, eight(a, b, 28, 1));
    count += 8;
    at += 32;
  }
  if (count > run.count) run.lastUs = load<f64>(run.timeUs + (<usize>count << 3) - 8);
  run.count = count;
  return at;
}

/** @returns true if the word is a regular event; then it has been decoded */
@inline
function decodeEvent(run: WordRun, word: u32): bool {
  const column = (word >>> 11) & 0x7ff;
  const row = word & 0x7ff;
  const eventUs = run.baseUs + <f64>((word >>> 22) & 0x3f);
  if (column >= run.width || row >= run.height || eventUs < run.lastUs) return false;
  const count = run.count;
  store<f64>(run.timeUs + (<usize>count << 3), eventUs);
  store<u16>(run.x + (<usize>count << 1), column);
  store<u16>(run.y + (<usize>count << 1), row);
  store<u8>(run.on + count, word >>> 28);
  run.lastUs = eventUs;
  run.count = count + 1;
  return true;
}

/** @returns true if the word is a regular TIME_HIGH; then time has gone on */
@inline
function decodeTimeHigh(run: WordRun, word: u32): bool {
  if (word >>> 28 != TYPE_TIME_HIGH) return false;
  const timeHigh = <i32>(word & 0x0fffffff);
  const step = timeHigh - run.timeHigh;
  if (step < 0 || step > run.timeHighStepMax) return false;
  run.baseUs += <f64>step * TIME_HIGH_US;
  run.timeHigh = timeHigh;
  return true;
}

/**
 * Regular words of EVT 2.0, see src/sensors/dvs/codecs/prophesee/evt2-payload.ts: events on the
 * sensor and in order, and TIME_HIGH that repeats or goes forward by at most `timeHighStepMax`.
 *
 * @param from address of the first word
 * @param end address behind the last one
 * @returns address of the first word that is not regular, or for which there is no room
 */
export function evt2(run: WordRun, from: usize, end: usize): usize {
  const room = run.room;
  run.count = 0;
  let at = from;
  while (at < end) {
    at = decodeEights(run, at, end);
    // One of the next eight words is no event, or there are fewer: word by word, up to that one.
    for (; at < end && run.count < room; at += 4) {
      const word = load<u32>(at);
      if (word >>> 28 > 1) break;
      if (!decodeEvent(run, word)) return at;
    }
    if (at >= end || run.count >= room || !decodeTimeHigh(run, load<u32>(at))) break;
    at += 4;
  }
  return at;
}
