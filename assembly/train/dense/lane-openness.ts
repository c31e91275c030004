import { addGateSums } from "../gates/gate-gradients";
import { openersOf, openness, phaseOf } from "../gates/openness";
import * as at from "../layout";
import { eventOf, firstEventOf } from "../rounds";
import { lanesFor } from "./lanes-of";

/** Writes the times of the sequences of a round. */
export function gatherTimes(layout: usize, round: usize): void {
  const end = firstEventOf(layout, round + 1);
  let time = at.activeTimes(layout);
  for (let place = firstEventOf(layout, round); place < end; place += 8, time += 8) {
    store<f64>(time, load<f64>(at.timeUs(layout) + (eventOf(place) << 3)));
  }
}

/**
 * Writes k of unit u at the times of a round; a lane without a sequence is closed, so that it stays as
 * it is.
 *
 * @param ks where to
 * @returns units that are open and do not only leak
 */
export function writeOpenness(
  layout: usize,
  ks: usize,
  u: usize,
  active: usize,
  mode: i32,
  leak: f64,
): i32 {
  let open = 0;
  if (mode == 2) {
    for (let lane: usize = 0; lane < active; lane++) store<f32>(ks + (lane << 2), 1);
    open = active as i32;
  } else {
    const frequency = v128.load64_splat(at.frequency(layout) + (u << 3));
    const shift = v128.load64_splat(at.shift(layout) + (u << 3));
    const ratio = v128.load64_splat(at.openRatio(layout) + (u << 3));
    const slope = v128.load64_splat(at.openSlope(layout) + (u << 3));
    for (let lane: usize = 0; lane < active; lane += 2) {
      const times = v128.load(at.activeTimes(layout) + (lane << 3));
      const phase = phaseOf(f64x2.mul(times, frequency), shift);
      const isOpen = f64x2.lt(phase, ratio);
      const leaking = f64x2.mul(phase, f64x2.splat(leak));
      const k = v128.bitselect(openness(mode, phase, slope), leaking, isOpen);
      open += popcnt(openersOf(isOpen, k, lane + 1 < active));
      v128.store64_lane(ks + (lane << 2), f32x4.demote_f64x2_zero(k), 0);
    }
  }
  clearRest(ks, active);
  return open;
}

/**
 * Adds the derivatives by θ, σ and r_on of the triangular gate of unit u, from those by k at the times
 * of a round: the twin of src/train/sequence-op/gate-gradients.ts.
 */
export function addGateGradientsOfLanes(layout: usize, u: usize, active: usize, leak: f64): void {
  const byKs = at.kGradient(layout);
  clearRest(byKs, active);
  const frequency = v128.load64_splat(at.frequency(layout) + (u << 3));
  const shift = v128.load64_splat(at.shift(layout) + (u << 3));
  const ratio = v128.load64_splat(at.openRatio(layout) + (u << 3));
  const rise = v128.load64_splat(at.openSlope(layout) + (u << 3));
  const half = f64x2.mul(ratio, f64x2.splat(0.5));
  let byLogPeriod = f64x2.splat(0);
  let byShift = f64x2.splat(0);
  let byOpenRatio = f64x2.splat(0);
  for (let lane: usize = 0; lane < active; lane += 2) {
    const turns = f64x2.mul(v128.load(at.activeTimes(layout) + (lane << 3)), frequency);
    const phase = phaseOf(turns, shift);
    const isInside = f64x2.lt(phase, ratio);
    const open = v128.bitselect(rise, f64x2.neg(rise), f64x2.lt(phase, half));
    const slope = v128.bitselect(open, f64x2.splat(leak), isInside);
    const byK = f64x2.promote_low_f32x4(v128.load64_zero(byKs + (lane << 2)));
    const byPhase = f64x2.mul(slope, byK);
    byLogPeriod = f64x2.add(byLogPeriod, f64x2.mul(byPhase, turns));
    byShift = f64x2.add(byShift, byPhase);
    byOpenRatio = f64x2.add(byOpenRatio, v128.and(f64x2.mul(byPhase, phase), isInside));
  }
  addGateSums(layout, u, byLogPeriod, byShift, byOpenRatio);
}

/** Sets to 0 what lies in the lanes behind those of `active` sequences. */
@inline
function clearRest(values: usize, active: usize): void {
  for (let lane = active; lane < lanesFor(active); lane++) store<f32>(values + (lane << 2), 0);
}
