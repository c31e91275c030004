import * as at from "../layout";
import { openersOf, openness, phaseOf, writeUnit } from "./openness";

/** Share of a period by which a unit is looked at before it opens: far more than rounding errs. */
const EARLY: f64 = 1e-6;

/** Before the first round any unit may be open. */
export function beginScan(layout: usize): void {
  const end = at.nextOpen(layout) + (at.units(layout) << 3);
  for (let place = at.nextOpen(layout); place < end; place += 8) store<f64>(place, -Infinity);
}

/**
 * Makes entries of the units that are open at the times of a round. A unit that is closed at the
 * earliest of them is not looked at again before it opens, since no later round has an earlier one.
 *
 * @param active sequences of the round
 * @returns number of entries, −1 if there is not room for all
 */
export function listOpen(layout: usize, active: usize, count: i32, mode: i32): i32 {
  const times = at.activeTimes(layout);
  let earliest = Infinity;
  let latest = -Infinity;
  for (let b: usize = 0; b < active; b++) {
    const time = load<f64>(times + (b << 3));
    earliest = min(earliest, time);
    latest = max(latest, time);
  }
  const units = at.units(layout);
  const nextOpen = at.nextOpen(layout);
  for (let u: usize = 0; u < units; u++) {
    const place = nextOpen + (u << 3);
    if (load<f64>(place) > latest) continue;
    const opensUs = opensFrom(layout, u, earliest);
    store<f64>(place, opensUs);
    if (opensUs > latest) continue;
    count = listUnit(layout, u, active, count, mode);
    if (count < 0) return -1;
  }
  return count;
}

/** A moment, from `time` on, before which unit u is closed, and no more than EARLY before it opens. */
@inline
function opensFrom(layout: usize, u: usize, time: f64): f64 {
  const cycles = time * load<f64>(at.frequency(layout) + (u << 3)) -
    load<f64>(at.shift(layout) + (u << 3));
  const phase = cycles - floor<f64>(cycles);
  if (phase < load<f64>(at.openRatio(layout) + (u << 3))) return time;
  return time + (1 - phase - EARLY) * load<f64>(at.period(layout) + (u << 3));
}

/**
 * Makes entries of one unit: two sequences at a time and without branches, since which way they would
 * go is as good as random.
 */
function listUnit(layout: usize, u: usize, active: usize, count: i32, mode: i32): i32 {
  const frequency = v128.load64_splat(at.frequency(layout) + (u << 3));
  const shift = v128.load64_splat(at.shift(layout) + (u << 3));
  const ratio = v128.load64_splat(at.openRatio(layout) + (u << 3));
  const slope = v128.load64_splat(at.openSlope(layout) + (u << 3));
  const times = at.activeTimes(layout);
  const views = at.activeViews(layout);
  const entriesMax = at.entriesMax(layout) as i32;
  for (let b: usize = 0; b < active; b += 2) {
    const turns = f64x2.mul(v128.load(times + (b << 3)), frequency);
    const phase = phaseOf(turns, shift);
    const k = openness(mode, phase, slope);
    const openers = openersOf(f64x2.lt(phase, ratio), k, b + 1 < active);
    const first = count;
    count += openers & 1;
    writeUnit(layout, first, u, load<u32>(views + (b << 2)));
    writeUnit(layout, count, u, load<u32>(views + (b << 2), 4));
    writeLanes(at.turns(layout), first, count, turns);
    writeLanes(at.phi(layout), first, count, phase);
    writeLanes(at.k(layout), first, count, k);
    count += openers >> 1;
    // There is room for two more.
    if (count > entriesMax) return -1;
  }
  return count;
}

/** Writes places e and f of a table; what is not open is written over by the next. */
@inline
function writeLanes(table: usize, e: usize, f: usize, pair: v128): void {
  const rounded = f32x4.demote_f64x2_zero(pair);
  v128.store32_lane(table + (e << 2), rounded, 0);
  v128.store32_lane(table + (f << 2), rounded, 1);
}
