import { AddressLayer } from "./address-layer";
import { opennessOfPair } from "./phase-scan";

/**
 * For how long the units found open stay the only ones, so that the events until then need no search.
 *
 * Within an epoch the phase in cycles that the exact test computes, base + elapsed · 1/τ, never falls
 * as time rises: both roundings keep order. So a unit stays what it is until that number reaches the
 * end of its window or of its cycle. An epoch has 2^18 cycles at most, and what rounding can make the
 * time until then too long is below 2^-31 of them; `slackUs` is 2^-28 of the longest.
 */

/** Time until each of two units opens, closes or begins another cycle. */
@inline
function pairLeft(elapsed: v128, base: v128, frequency: v128, ratio: v128, period: v128): v128 {
  const cycles = f64x2.add(base, f64x2.mul(elapsed, frequency));
  const phase = f64x2.sub(cycles, f64x2.floor(cycles));
  const end = v128.bitselect(ratio, f64x2.splat(1), f64x2.lt(phase, ratio));
  return f64x2.mul(f64x2.sub(end, phase), period);
}

/** Least time until any unit opens, closes or begins another cycle. */
function timeLeft(a: AddressLayer, elapsedUs: f64): f64 {
  const layer = a.layer;
  const elapsed = f64x2.splat(elapsedUs);
  let base = layer.bases;
  let frequency = layer.frequency;
  let ratio = layer.openRatio;
  let period = a.periodUs;
  const end = period + (<usize>layer.units << 3);
  let low = f64x2.splat(Infinity);
  let high = f64x2.splat(Infinity);
  do {
    low = f64x2.pmin(low, pairLeft(
      elapsed, v128.load(base), v128.load(frequency), v128.load(ratio), v128.load(period),
    ));
    high = f64x2.pmin(high, pairLeft(
      elapsed, v128.load(base, 16), v128.load(frequency, 16), v128.load(ratio, 16),
      v128.load(period, 16),
    ));
    base += 32;
    frequency += 32;
    ratio += 32;
    period += 32;
  } while (period < end);
  const least = f64x2.pmin(low, high);
  return min(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1));
}

/** Notes for how long what findOpen() found at a time holds, and what the k until then depend on. */
export function beginSpan(a: AddressLayer, timeUs: f64, count: u32): void {
  const layer = a.layer;
  const elapsedUs = timeUs - layer.startUs;
  a.fromUs = elapsedUs;
  a.untilUs = elapsedUs + timeLeft(a, elapsedUs) - a.slackUs;
  const end = ((<usize>count << 3) + 24) & ~31;
  for (let i: usize = 0; i < end; i += 8) {
    const unit = <usize>load<u32>(layer.openUnits + (i >> 1)) << 3;
    store<f64>(a.bases + i, load<f64>(layer.bases + unit));
    store<f64>(a.frequency + i, load<f64>(layer.frequency + unit));
    store<f64>(a.slope + i, load<f64>(layer.slope + unit));
  }
}

@inline
export function forgetSpan(a: AddressLayer): void {
  a.untilUs = NaN;
}

/** True if findOpen() would find the units that it found last. */
@inline
export function isInSpan(a: AddressLayer, timeUs: f64): bool {
  const layer = a.layer;
  const elapsedUs = timeUs - layer.startUs;
  return elapsedUs >= a.fromUs && elapsedUs < a.untilUs
    && timeUs < layer.startUs + layer.epochUs;
}

@inline
function opennessAt(a: AddressLayer, elapsed: v128, at: usize): v128 {
  const step = f64x2.mul(elapsed, v128.load(a.frequency + at));
  const cycles = f64x2.add(v128.load(a.bases + at), step);
  return opennessOfPair(f64x2.sub(cycles, f64x2.floor(cycles)), v128.load(a.slope + at));
}

/** Writes the k of the units kept as findOpen() would. */
@inline
export function updateOpenness(a: AddressLayer, timeUs: f64): void {
  const layer = a.layer;
  if (layer.gate != 1) return;
  const elapsed = f64x2.splat(timeUs - layer.startUs);
  const end = <usize>a.count << 3;
  let openness = layer.openness;
  let at: usize = 0;
  do {
    const low = opennessAt(a, elapsed, at);
    v128.store(openness, v128.shuffle<i64>(low, opennessAt(a, elapsed, at + 16), 0, 2));
    openness += 16;
    at += 32;
  } while (at < end);
}
