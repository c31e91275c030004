import { Layer } from "./layer";

/** The same numbers as in src/cells/kernels/phase-scan.ts. */
const EPOCHS_KEPT: u32 = 16;
const TIE_NUDGE_CYCLES: f64 = 1.0 / 8589934592.0;

/** Phase in cycles, exact to an ulp; the twin of phase() in src/cells/gate.ts. */
function phase(timeUs: f64, periodUs: f64, shiftUs: f64): f64 {
  const difference = timeUs - shiftUs;
  const virtualShift = timeUs - difference;
  const virtualTime = difference + virtualShift;
  const roundingError = timeUs - virtualTime + (virtualShift - shiftUs);
  let remainder = (difference % periodUs) + roundingError;
  if (remainder < 0) remainder += periodUs;
  else if (remainder >= periodUs) remainder -= periodUs;
  const phi = remainder / periodUs;
  return phi < 1 ? phi : 0;
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
    for (let j: usize = 0; j < <usize>layer.units; j++) {
      const at = j << 3;
      const phi = phase(startUs, load<f64>(layer.periodUs + at), load<f64>(layer.shiftUs + at));
      store<f64>(bases + at, phi + TIE_NUDGE_CYCLES);
    }
    store<f64>(layer.keptStarts + (<usize>slot << 3), startUs);
  }
  layer.startUs = startUs;
  layer.bases = bases;
}

@inline
function paddedTo64(units: u32): usize {
  return (<usize>units + 63) & ~63;
}

/** Two 64-bit masks: which of two neighbouring units are open. */
@inline
function openPair(elapsed: v128, bases: usize, frequency: usize, ratio: usize, at: usize): v128 {
  const cycles = f64x2.add(
    v128.load(bases + at),
    f64x2.mul(elapsed, v128.load(frequency + at)),
  );
  return f64x2.lt(f64x2.sub(cycles, f64x2.floor(cycles)), v128.load(ratio + at));
}

/** The even 32-bit halves of two pairs of 64-bit masks. */
@inline
function evenHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

/** One bit per unit, 16 units at a time; writes whole u64 words. */
function markOpen(layer: Layer, elapsedUs: f64): void {
  const elapsed = f64x2.splat(elapsedUs);
  const bases = layer.bases;
  const frequency = layer.frequency;
  const ratio = layer.openRatio;
  const end = (<usize>layer.units + 15) & ~15;
  let mask = layer.mask;
  for (let at: usize = 0; at < end << 3; at += 128) {
    const a = evenHalves(
      openPair(elapsed, bases, frequency, ratio, at),
      openPair(elapsed, bases, frequency, ratio, at + 16),
    );
    const b = evenHalves(
      openPair(elapsed, bases, frequency, ratio, at + 32),
      openPair(elapsed, bases, frequency, ratio, at + 48),
    );
    const c = evenHalves(
      openPair(elapsed, bases, frequency, ratio, at + 64),
      openPair(elapsed, bases, frequency, ratio, at + 80),
    );
    const d = evenHalves(
      openPair(elapsed, bases, frequency, ratio, at + 96),
      openPair(elapsed, bases, frequency, ratio, at + 112),
    );
    const ab = i16x8.narrow_i32x4_s(a, b);
    const cd = i16x8.narrow_i32x4_s(c, d);
    store<u16>(mask, <u16>i8x16.bitmask(i8x16.narrow_i16x8_s(ab, cd)));
    mask += 2;
  }
  while (mask & 7) {
    store<u16>(mask, 0);
    mask += 2;
  }
}

/** Turns the bits into a list. */
function listOpen(layer: Layer): u32 {
  const words = (<usize>layer.units + 63) >> 6;
  let out = layer.openUnits;
  let base: i32 = 0;
  for (let word: usize = 0; word < words; word++) {
    let bits = load<u64>(layer.mask + (word << 3));
    while (bits) {
      store<i32>(out, base + <i32>ctz(bits));
      out += 4;
      bits &= bits - 1;
    }
    base += 64;
  }
  return <u32>((out - layer.openUnits) >> 2);
}

@inline
function gatherPair(source: usize, a: usize, b: usize): v128 {
  return v128.load_lane<f64>(source + b, v128.load64_zero(source + a), 1);
}

/** k = min(2 φ / r_on, 2 − 2 φ / r_on) of the units listed, two at a time. */
function computeOpenness(layer: Layer, elapsedUs: f64, count: u32): void {
  const elapsed = f64x2.splat(elapsedUs);
  const two = f64x2.splat(2);
  const units = layer.openUnits;
  // An odd tail computes its last unit twice.
  store<i32>(units + (<usize>count << 2), load<i32>(units + (<usize>count << 2) - 4));
  for (let i: usize = 0; i < <usize>count << 2; i += 8) {
    const a = <usize>load<u32>(units + i) << 3;
    const b = <usize>load<u32>(units + i, 4) << 3;
    const cycles = f64x2.add(
      gatherPair(layer.bases, a, b),
      f64x2.mul(elapsed, gatherPair(layer.frequency, a, b)),
    );
    const rise = f64x2.mul(
      f64x2.sub(cycles, f64x2.floor(cycles)),
      gatherPair(layer.slope, a, b),
    );
    const k = f32x4.demote_f64x2_zero(f64x2.pmin(rise, f64x2.sub(two, rise)));
    v128.store_lane<u64>(layer.openness + i, k, 0);
  }
}

/** Fills openUnits and openness; the number of open units. */
export function findOpen(layer: Layer, timeUs: f64): u32 {
  if (layer.gate == 0) return layer.units;
  if (!(timeUs >= layer.startUs && timeUs < layer.startUs + layer.epochUs)) {
    enterEpoch(layer, timeUs);
  }
  const elapsedUs = timeUs - layer.startUs;
  markOpen(layer, elapsedUs);
  const count = listOpen(layer);
  if (layer.gate == 1 && count > 0) computeOpenness(layer, elapsedUs, count);
  return count;
}
