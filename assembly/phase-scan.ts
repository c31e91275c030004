import {
  candidateBits, canScanCoarsely, forgetSpan, sinceSpan, SIXTEEN_BYTES,
} from "./coarse-scan";
import { Layer } from "./layer";
import { canTurn, sampleEvent, turn, Wheel } from "./wheel";

/** The same numbers as in src/cells/kernels/phase-scan.ts. */
const EPOCHS_KEPT: u32 = 16;
const TIE_NUDGE_CYCLES: f64 = 1.0 / 8589934592.0;

/**
 * Phases in cycles of two units, exact to an ulp, nudged; the twin of phase() in
 * src/cells/gate.ts. t − s is kept as a rounded difference and its rounding error (2Sum).
 */
@inline
function phasePair(time: v128, period: v128, shift: v128): v128 {
  const difference = f64x2.sub(time, shift);
  const virtualShift = f64x2.sub(time, difference);
  const virtualTime = f64x2.add(difference, virtualShift);
  const roundingError = f64x2.add(
    f64x2.sub(time, virtualTime),
    f64x2.sub(virtualShift, shift),
  );
  let remainder = f64x2.add(remainderPair(difference, period), roundingError);
  const below = f64x2.lt(remainder, f64x2.splat(0));
  const beyond = f64x2.ge(remainder, period);
  remainder = f64x2.add(remainder, v128.and(below, period));
  remainder = f64x2.sub(remainder, v128.and(v128.andnot(beyond, below), period));
  const phi = f64x2.div(remainder, period);
  return f64x2.add(
    v128.and(phi, f64x2.lt(phi, f64x2.splat(1))),
    f64x2.splat(TIE_NUDGE_CYCLES),
  );
}

/** Quotients up to here are whole numbers that a float64 tells apart. */
const QUOTIENT_MAX: f64 = 4503599627370496;
/** Between these no part of a product of halves overflows or loses bits to underflow. */
const FACTOR_MIN: f64 = 1e-120;
const FACTOR_MAX: f64 = 1e120;

/**
 * a % b of two pairs, exact as fmod is, with the sign of a.
 *
 * With q = ⌊|a| / b⌋ the remainder |a| − q b is a float64. The rounded quotient is never below the
 * true one, and above it by 1 at most; the remainder is then negative, and exact too. The product
 * q b is had without error by splitting its factors (Dekker, Numer. Math. 18, 1971).
 */
@inline
function remainderPair(a: v128, b: v128): v128 {
  const size = f64x2.abs(a);
  const quotient = f64x2.floor(f64x2.div(size, b));
  const isEasy = v128.and(
    f64x2.le(quotient, f64x2.splat(QUOTIENT_MAX)),
    v128.and(f64x2.ge(b, f64x2.splat(FACTOR_MIN)), f64x2.le(b, f64x2.splat(FACTOR_MAX))),
  );
  if (!i64x2.all_true(isEasy)) {
    return f64x2(
      f64x2.extract_lane(a, 0) % f64x2.extract_lane(b, 0),
      f64x2.extract_lane(a, 1) % f64x2.extract_lane(b, 1),
    );
  }
  const product = f64x2.mul(quotient, b);
  const quotientHigh = highHalf(quotient);
  const quotientLow = f64x2.sub(quotient, quotientHigh);
  const high = highHalf(b);
  const low = f64x2.sub(b, high);
  let error = f64x2.sub(f64x2.mul(quotientHigh, high), product);
  error = f64x2.add(error, f64x2.mul(quotientHigh, low));
  error = f64x2.add(error, f64x2.mul(quotientLow, high));
  error = f64x2.add(error, f64x2.mul(quotientLow, low));
  const rest = f64x2.sub(f64x2.sub(size, product), error);
  const remainder = f64x2.add(rest, v128.and(f64x2.lt(rest, f64x2.splat(0)), b));
  const sign = f64x2.splat(-0.0);
  return v128.or(remainder, v128.and(a, sign));
}

/** The upper 26 bits of two numbers. */
@inline
function highHalf(x: v128): v128 {
  const scaled = f64x2.mul(x, f64x2.splat(134217729));
  return f64x2.sub(scaled, f64x2.sub(scaled, x));
}

function enterEpoch(layer: Layer, timeUs: f64): void {
  const index = Math.floor((timeUs - layer.anchorUs) / layer.epochUs);
  const startUs = layer.anchorUs + index * layer.epochUs;
  const isFinite = index - index == 0;
  const slot: u32 = isFinite
    ? <u32>(index - Math.floor(index / <f64>EPOCHS_KEPT) * <f64>EPOCHS_KEPT)
    : 0;
  const bases = layer.keptBases + <usize>slot * paddedTo64(layer.units) * 8;
  if (load<f64>(layer.keptStarts + (<usize>slot << 3)) != startUs) {
    const start = f64x2.splat(startUs);
    // The padding has a period and a shift, too.
    for (let at: usize = 0; at < <usize>layer.units << 3; at += 16) {
      const period = v128.load(layer.periodUs + at);
      v128.store(bases + at, phasePair(start, period, v128.load(layer.shiftUs + at)));
    }
    store<f64>(layer.keptStarts + (<usize>slot << 3), startUs);
  }
  layer.startUs = startUs;
  layer.bases = bases;
  forgetSpan(layer);
}

@inline
function paddedTo64(units: u32): usize {
  return (<usize>units + 63) & ~63;
}

/** Two 64-bit masks: which of two neighbouring units are open. */
@inline
function openPair(elapsed: v128, base: v128, frequency: v128, ratio: v128): v128 {
  const cycles = f64x2.add(base, f64x2.mul(elapsed, frequency));
  return f64x2.lt(f64x2.sub(cycles, f64x2.floor(cycles)), ratio);
}

/** The even 32-bit halves of two pairs of 64-bit masks. */
@inline
function evenHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

/** One bit per unit, 8 units at a time. */
@inline
function openEight(t: v128, base: usize, frequency: usize, ratio: usize): u64 {
  const low = evenHalves(
    openPair(t, v128.load(base), v128.load(frequency), v128.load(ratio)),
    openPair(t, v128.load(base, 16), v128.load(frequency, 16), v128.load(ratio, 16)),
  );
  const high = evenHalves(
    openPair(t, v128.load(base, 32), v128.load(frequency, 32), v128.load(ratio, 32)),
    openPair(t, v128.load(base, 48), v128.load(frequency, 48), v128.load(ratio, 48)),
  );
  return <u64>i16x8.bitmask(i16x8.narrow_i32x4_s(low, high));
}

/** Lists the open units: 64 at a time become the bits of one word, whose set bits are walked. */
function listOpen(layer: Layer, elapsedUs: f64): u32 {
  const elapsed = f64x2.splat(elapsedUs);
  const units = layer.units;
  let base = layer.bases;
  let frequency = layer.frequency;
  let ratio = layer.openRatio;
  let out = layer.openUnits;
  for (let word: u32 = 0; word < units; word += 64) {
    const end = min(units - word, 64);
    let bits: u64 = 0;
    for (let unit: u32 = 0; unit < end; unit += 8) {
      bits |= openEight(elapsed, base, frequency, ratio) << <u64>unit;
      base += 64;
      frequency += 64;
      ratio += 64;
    }
    out = listBits(out, bits, word);
  }
  return <u32>((out - layer.openUnits) >> 2);
}

/** Lists the units that may be open. */
function listCandidates(layer: Layer, elapsedUs: f64): u32 {
  const elapsed = sinceSpan(layer, elapsedUs);
  const units = layer.units;
  let groups = layer.coarse;
  let out = layer.openUnits;
  for (let word: u32 = 0; word < units; word += 64) {
    const end = min(units - word, 64);
    let bits: u64 = 0;
    for (let unit: u32 = 0; unit < end; unit += 16) {
      bits |= candidateBits(elapsed, groups) << <u64>unit;
      groups += SIXTEEN_BYTES;
    }
    out = listBits(out, bits, word);
  }
  return <u32>((out - layer.openUnits) >> 2);
}

/**
 * Appends the units of one word. Four at a time without asking whether there are so many: what is
 * written beyond the last is written over or never read, and the predictor has one branch to guess
 * that almost always goes the same way.
 */
@inline
function listBits(out: usize, bits: u64, first: u32): usize {
  const end = out + (<usize>popcnt(bits) << 2);
  let at = out;
  do {
    store<i32>(at, first + <i32>ctz(bits));
    bits &= bits - 1;
    store<i32>(at, first + <i32>ctz(bits), 4);
    bits &= bits - 1;
    store<i32>(at, first + <i32>ctz(bits), 8);
    bits &= bits - 1;
    store<i32>(at, first + <i32>ctz(bits), 12);
    bits &= bits - 1;
    at += 16;
  } while (bits);
  return end;
}

/** Repeats the last of what is listed, units or their k, so that it is whole groups of 4. */
@inline
function completeList(list: usize, count: u32): void {
  const end = list + (<usize>count << 2);
  const last = load<u32>(end - 4);
  store<u32>(end, last);
  store<u32>(end, last, 4);
  store<u32>(end, last, 8);
}

@inline
function gatherPair(source: usize, a: usize, b: usize): v128 {
  return v128.load_lane<f64>(source + b, v128.load64_zero(source + a), 1);
}

/**
 * The exact test of the units listed, four at a time, and their k = min(2 φ / r_on, 2 − 2 φ / r_on).
 *
 * @returns how many of them are open and stay in the list
 */
function judge(layer: Layer, elapsedUs: f64, count: u32): u32 {
  const elapsed = f64x2.splat(elapsedUs);
  const bases = layer.bases;
  const frequency = layer.frequency;
  const ratio = layer.openRatio;
  const slope = layer.slope;
  let units = layer.openUnits;
  // A square gate has no k but 1: what is computed goes where nobody looks.
  let target = layer.gate == 1 ? layer.openness : layer.z;
  const end = units + (<usize>count << 2);
  let open = i32x4.splat(-1);
  do {
    const a = <usize>load<u32>(units) << 3;
    const b = <usize>load<u32>(units, 4) << 3;
    const c = <usize>load<u32>(units, 8) << 3;
    const d = <usize>load<u32>(units, 12) << 3;
    const low = phaseOfPair(elapsed, bases, frequency, a, b);
    const high = phaseOfPair(elapsed, bases, frequency, c, d);
    const isLowOpen = f64x2.lt(low, gatherPair(ratio, a, b));
    const isHighOpen = f64x2.lt(high, gatherPair(ratio, c, d));
    open = v128.and(open, v128.and(isLowOpen, isHighOpen));
    const lowK = opennessOfPair(low, gatherPair(slope, a, b));
    const highK = opennessOfPair(high, gatherPair(slope, c, d));
    v128.store(target, v128.shuffle<i64>(lowK, highK, 0, 2));
    units += 16;
    target += 16;
  } while (units < end);
  return i64x2.all_true(open) ? count : dropClosed(layer, elapsedUs, count);
}

@inline
function phaseOfPair(elapsed: v128, bases: usize, frequency: usize, a: usize, b: usize): v128 {
  const cycles = f64x2.add(
    gatherPair(bases, a, b),
    f64x2.mul(elapsed, gatherPair(frequency, a, b)),
  );
  return f64x2.sub(cycles, f64x2.floor(cycles));
}

/** k of two units in the low half. */
@inline
export function opennessOfPair(phase: v128, slope: v128): v128 {
  const rise = f64x2.mul(phase, slope);
  return f32x4.demote_f64x2_zero(f64x2.pmin(rise, f64x2.sub(f64x2.splat(2), rise)));
}

/** Takes the closed units out of the list, which stays whole groups of 4. */
function dropClosed(layer: Layer, elapsedUs: f64, count: u32): u32 {
  const units = layer.openUnits;
  const openness = layer.openness;
  let out: usize = 0;
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    const unit = load<u32>(units + i);
    const at = <usize>unit << 3;
    const cycles = load<f64>(layer.bases + at) + elapsedUs * load<f64>(layer.frequency + at);
    store<u32>(units + out, unit);
    store<f32>(openness + out, load<f32>(openness + i));
    out += <usize>(cycles - Math.floor(cycles) < load<f64>(layer.openRatio + at)) << 2;
  }
  const left = <u32>(out >> 2);
  if (left == 0) return 0;
  completeList(units, left);
  completeList(openness, left);
  return left;
}

/**
 * Fills openUnits and openness, both to whole groups of 4 by repeating the last unit.
 *
 * @returns the number of open units
 */
export function findOpen(layer: Layer, timeUs: f64): u32 {
  if (layer.gate == 0) return layer.units;
  if (!(timeUs >= layer.startUs && timeUs < layer.startUs + layer.epochUs)) {
    enterEpoch(layer, timeUs);
  }
  if (layer.wheel == 0) return scan(layer, timeUs);
  const wheel = changetype<Wheel>(layer.wheel);
  // An event earlier than the last is scanned for.
  const count = canTurn(wheel, timeUs) ? turnTo(layer, wheel, timeUs) : scan(layer, timeUs);
  sampleEvent(layer, wheel, timeUs, count);
  return count;
}

function scan(layer: Layer, timeUs: f64): u32 {
  const elapsedUs = timeUs - layer.startUs;
  const listed = canScanCoarsely(layer, elapsedUs)
    ? listCandidates(layer, elapsedUs)
    : listOpen(layer, elapsedUs);
  if (listed == 0) return 0;
  completeList(layer.openUnits, listed);
  return judge(layer, elapsedUs, listed);
}

function turnTo(layer: Layer, wheel: Wheel, timeUs: f64): u32 {
  const count = turn(layer, wheel, timeUs);
  if (count == 0) return 0;
  completeList(layer.openUnits, count);
  if (layer.gate == 1) completeList(layer.openness, count);
  return count;
}
