import { Layer } from "./layer";

/**
 * Which units may be open, looked at in 32 bits: four units at a time where float64 has two, and
 * with one multiplication, one addition and one comparison. Nearly all closed units are told to be
 * closed; no open one ever is. Who is left is judged by the exact test.
 *
 * An epoch is cut into spans of 2^20 µs. In a span a phase is its value at the beginning plus whole
 * microseconds times the cycles per microsecond, both cut to 2^-32 cycles and both modulo 1, which is
 * what 32-bit integers do by themselves. That is less than the phase of the exact test by less than
 * 2^-12 cycles for the steps and 2^-32 for the beginning, or more by 2^-34 at most, which that phase
 * is rounded by.
 */
const SPAN_US: f64 = 1048576;
/** A unit within so much before the beginning of its window is to be judged. */
const SHORTFALL: f64 = 1.0 / 4096.0 + 1.0 / 1048576.0;
/** A unit within so much after the end of its window is still to be judged. */
const EXCESS: f64 = 1.0 / 1048576.0;
const CYCLE: f64 = 4294967296;
/** Added to an unsigned number, makes signed comparisons right. */
const SIGN: i32 = i32.MIN_VALUE;

const GROUP_BYTES: usize = 48;

/** NaN if the time is not, and so belongs to no span. */
@inline
function spanOf(elapsedUs: f64): f64 {
  return Math.floor(elapsedUs / SPAN_US);
}

/**
 * True if the coarse phases are those of this time. A span is entered at the second event in a row
 * that is in it: streams of different ages in turn would pay for entering more than they gain.
 */
export function canScanCoarsely(layer: Layer, elapsedUs: f64): bool {
  const span = spanOf(elapsedUs);
  if (elapsedUs != Math.floor(elapsedUs)) return false;
  if (span == layer.coarseSpan) return true;
  if (span == layer.lastSpan) {
    enterSpan(layer, span);
    return true;
  }
  layer.lastSpan = span;
  return false;
}

@inline
export function forgetSpan(layer: Layer): void {
  layer.coarseSpan = NaN;
  layer.lastSpan = NaN;
}

@inline
function fraction(x: v128): v128 {
  return f64x2.sub(x, f64x2.floor(x));
}

/** Shares of a cycle in units of 2^-32, cut; those below 0 are 0, those from 1 on the greatest number. */
@inline
function fixedPoint(low: v128, high: v128): v128 {
  const scale = f64x2.splat(CYCLE);
  return v128.shuffle<i64>(
    i32x4.trunc_sat_f64x2_u_zero(f64x2.mul(low, scale)),
    i32x4.trunc_sat_f64x2_u_zero(f64x2.mul(high, scale)),
    0, 2,
  );
}

function enterSpan(layer: Layer, span: f64): void {
  const elapsed = f64x2.splat(span * SPAN_US);
  const bases = layer.bases;
  const frequency = layer.frequency;
  const ratio = layer.openRatio;
  const width = f64x2.splat(SHORTFALL + EXCESS);
  // Shifts the window so that it begins at the least number.
  const bias = i32x4.splat(<i32>(SHORTFALL * CYCLE) + SIGN);
  // Sixteen units are looked at together. The padding, whose r_on is −1, is closed: its limit is the
  // least number, and its phase greater.
  const end = ((<usize>layer.units + 15) & ~15) << 3;
  let group = layer.coarse;
  for (let at: usize = 0; at < end; at += 32) {
    const f0 = v128.load(frequency + at);
    const f1 = v128.load(frequency + at, 16);
    const phase = fixedPoint(
      fraction(f64x2.add(v128.load(bases + at), f64x2.mul(elapsed, f0))),
      fraction(f64x2.add(v128.load(bases + at, 16), f64x2.mul(elapsed, f1))),
    );
    const limit = fixedPoint(
      f64x2.add(v128.load(ratio + at), width),
      f64x2.add(v128.load(ratio + at, 16), width),
    );
    v128.store(group, i32x4.add(phase, bias));
    v128.store(group, fixedPoint(fraction(f0), fraction(f1)), 16);
    v128.store(group, i32x4.add(limit, i32x4.splat(SIGN)), 32);
    group += GROUP_BYTES;
  }
  layer.coarseSpan = span;
}

/** A mask per unit: certainly closed. */
@inline
function closedFour(elapsed: v128, group: usize): v128 {
  const phase = i32x4.add(v128.load(group), i32x4.mul(elapsed, v128.load(group, 16)));
  return i32x4.gt_s(phase, v128.load(group, 32));
}

/** One bit per unit that may be open, 16 units. */
@inline
export function candidateBits(elapsed: v128, group: usize): u64 {
  const low = i16x8.narrow_i32x4_s(
    closedFour(elapsed, group),
    closedFour(elapsed, group + GROUP_BYTES),
  );
  const high = i16x8.narrow_i32x4_s(
    closedFour(elapsed, group + 2 * GROUP_BYTES),
    closedFour(elapsed, group + 3 * GROUP_BYTES),
  );
  return <u64>(i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)) ^ 0xffff);
}

/** Bytes of 16 units in `coarse`. */
export const SIXTEEN_BYTES: usize = 4 * GROUP_BYTES;

/** Microseconds since the beginning of the span. */
@inline
export function sinceSpan(layer: Layer, elapsedUs: f64): v128 {
  return i32x4.splat(<i32>(elapsedUs - layer.coarseSpan * SPAN_US));
}
