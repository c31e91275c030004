import * as at from "../layout";
import { openersOf, openness, phaseOf, writeUnit } from "./openness";

/**
 * Makes entries of all units at the times of a round.
 *
 * @param active sequences of the round
 * @returns number of entries, −1 if there is not room for all
 */
export function listAll(layout: usize, active: usize, count: i32, mode: i32, leak: f64): i32 {
  const units = at.units(layout);
  if (count + units * active > (at.entriesMax(layout) as i32)) return -1;
  const isAlways = i64x2.splat(mode == 2 ? -1 : 0);
  const views = at.activeViews(layout);
  let open = 0;
  for (let u: usize = 0; u < units; u++) {
    const frequency = v128.load64_splat(at.frequency(layout) + (u << 3));
    const shift = v128.load64_splat(at.shift(layout) + (u << 3));
    const ratio = v128.load64_splat(at.openRatio(layout) + (u << 3));
    const slope = v128.load64_splat(at.openSlope(layout) + (u << 3));
    for (let b: usize = 0; b < active; b += 2) {
      const turns = f64x2.mul(v128.load(at.activeTimes(layout) + (b << 3)), frequency);
      const phase = phaseOf(turns, shift);
      const isOpen = v128.or(f64x2.lt(phase, ratio), isAlways);
      const leaking = f64x2.mul(phase, f64x2.splat(leak));
      const k = v128.bitselect(openness(mode, phase, slope), leaking, isOpen);
      open += popcnt(openersOf(isOpen, k, b + 1 < active));
      // Where there is no second one, the next unit or nothing takes its place.
      const e = count + b;
      writeUnit(layout, e, u, load<u32>(views + (b << 2)));
      writeUnit(layout, e + 1, u, load<u32>(views + (b << 2), 4));
      v128.store64_lane(at.turns(layout) + (e << 2), f32x4.demote_f64x2_zero(turns), 0);
      v128.store64_lane(at.phi(layout) + (e << 2), f32x4.demote_f64x2_zero(phase), 0);
      v128.store64_lane(at.k(layout) + (e << 2), f32x4.demote_f64x2_zero(k), 0);
    }
    count += active;
  }
  store<i32>(at.openCount(layout), load<i32>(at.openCount(layout)) + open);
  return count;
}
