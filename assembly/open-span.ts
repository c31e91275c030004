import { AddressLayer } from "./address-layer";
import { Layer } from "./layer";
import { opennessOfPair } from "./phase-scan";

/**
 * For how long the units found open stay the only ones, so that the events until then need no search.
 *
 * Within an epoch the phase in cycles that the exact test computes, base + elapsed · 1/τ, never falls
 * as time rises: both roundings keep order. So a unit stays what it is until that number reaches the
 * end of its window or of its cycle. The time left is taken shorter by 2^-48 of the cycles, four times
 * what rounding could make it too long.
 */
const MARGIN: f64 = 1.0 / 281474976710656.0;

/** Least time until one of two units opens, closes or begins another cycle, µs. */
@inline
function pairLeft(elapsed: v128, base: usize, frequency: usize, ratio: usize, period: usize): v128 {
  const cycles = f64x2.add(
    v128.load(base), f64x2.mul(elapsed, v128.load(frequency)),
  );
  const phase = f64x2.sub(cycles, f64x2.floor(cycles));
  const limit = v128.load(ratio);
  const end = v128.bitselect(limit, f64x2.splat(1), f64x2.lt(phase, limit));
  const margin = f64x2.mul(f64x2.add(cycles, f64x2.splat(1)), f64x2.splat(MARGIN));
  return f64x2.mul(f64x2.sub(f64x2.sub(end, phase), margin), v128.load(period));
}

/** NaN if it cannot be told. */
function timeLeft(layer: Layer, elapsedUs: f64): f64 {
  const elapsed = f64x2.splat(elapsedUs);
  // Pairs from the first unit on, and one of the last two if there is an odd one: never the padding.
  const last = (<usize>layer.units << 3) - 16;
  let least = f64x2.splat(Infinity);
  let at: usize = 0;
  for (; at < last; at += 16) {
    least = f64x2.min(least, pairLeft(
      elapsed, layer.bases + at, layer.frequency + at, layer.openRatio + at, layer.periodUs + at,
    ));
  }
  least = f64x2.min(least, pairLeft(
    elapsed, layer.bases + last, layer.frequency + last, layer.openRatio + last,
    layer.periodUs + last,
  ));
  return min(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1));
}

/** Notes for how long what findOpen() found at a time holds. */
export function beginSpan(a: AddressLayer, timeUs: f64): void {
  const layer = a.layer;
  const elapsedUs = timeUs - layer.startUs;
  // A layer that a wheel may serve is too large to be looked at as a whole.
  const isSmall = layer.gate != 0 && layer.wheel == 0 && layer.units > 1;
  a.fromUs = elapsedUs;
  a.untilUs = isSmall ? elapsedUs + timeLeft(layer, elapsedUs) : NaN;
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
    v128.store(openness, v128.shuffle<i64>(
      opennessAt(a, elapsed, at), opennessAt(a, elapsed, at + 16), 0, 2,
    ));
    openness += 16;
    at += 32;
  } while (at < end);
}

@inline
function opennessAt(a: AddressLayer, elapsed: v128, at: usize): v128 {
  const cycles = f64x2.add(
    v128.load(a.bases + at), f64x2.mul(elapsed, v128.load(a.frequency + at)),
  );
  const phase = f64x2.sub(cycles, f64x2.floor(cycles));
  return opennessOfPair(phase, v128.load(a.slope + at));
}
