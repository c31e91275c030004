import * as at from "../layout";

/**
 * Adds the derivatives by θ, σ and r_on of the triangular gate of unit u, from those by k of its
 * sorted entries: the twin of src/train/sequence-op/gate-gradients.ts.
 */
export function addGateGradients(layout: usize, u: usize, first: usize, last: usize): void {
  const gates = at.gates(layout);
  const phi = at.phi(layout);
  const turns = at.turns(layout);
  const kGradient = at.kGradient(layout);
  const ratio = load<f64>(at.openRatio(layout) + (u << 3));
  const rise = load<f64>(at.openSlope(layout) + (u << 3));
  let byLogPeriod = f64x2.splat(0);
  let byShift = f64x2.splat(0);
  let byOpenRatio = f64x2.splat(0);
  // Two at a time and without branches; the last one may have no other, which then counts nothing.
  for (let entry = first; entry < last; entry += 16) {
    const isPair = entry + 8 < last;
    const p = (load<u32>(entry) - gates) >> 2;
    const q = isPair ? (load<u32>(entry, 8) - gates) >> 2 : p;
    const phase = pair(phi + p, phi + q);
    const isInside = f64x2.lt(phase, f64x2.splat(ratio));
    const isRising = f64x2.lt(phase, f64x2.splat(ratio / 2));
    const open = v128.bitselect(f64x2.splat(rise), f64x2.splat(-rise), isRising);
    const slope = v128.and(open, isInside);
    const counted = f64x2.replace_lane(f64x2.splat(1), 1, isPair ? 1 : 0);
    const byK = f64x2.mul(pair(kGradient + p, kGradient + q), counted);
    const byPhase = f64x2.mul(slope, byK);
    byLogPeriod = f64x2.add(byLogPeriod, f64x2.mul(byPhase, pair(turns + p, turns + q)));
    byShift = f64x2.add(byShift, byPhase);
    byOpenRatio = f64x2.add(byOpenRatio, f64x2.mul(byPhase, phase));
  }
  addGateSums(layout, u, byLogPeriod, byShift, byOpenRatio);
}

/** Adds what entries or lanes have summed up, two by two, of unit u; the last of them times r_on. */
@inline
export function addGateSums(
  layout: usize,
  u: usize,
  byLogPeriod: v128,
  byShift: v128,
  byOpenRatio: v128,
): void {
  subtract(at.logPeriodGradient(layout) + (u << 3), sum(byLogPeriod));
  subtract(at.shiftGradient(layout) + (u << 3), sum(byShift));
  const ratio = load<f64>(at.openRatio(layout) + (u << 3));
  subtract(at.openRatioGradient(layout) + (u << 3), sum(byOpenRatio) / ratio);
}

/** The float32 at two addresses as float64. */
@inline
function pair(p: usize, q: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load32_lane(q, v128.load32_zero(p), 1));
}

@inline
function sum(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

@inline
function subtract(target: usize, value: f64): void {
  store<f64>(target, load<f64>(target) - value);
}
