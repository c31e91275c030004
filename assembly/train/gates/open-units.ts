import * as at from "../layout";
import { openersOf, openness, phaseOf, ROUNDING, writeUnit } from "./openness";

/** Share of a period by which a unit is looked at before it opens: far more than rounding errs. */
const EARLY: f64 = 1e-6;

/**
 * Lists what may be open at a step, unit by unit: unit and sequence, four bytes each.
 *
 * @param groups of sixteen sequences
 * @returns the end of the list
 */
export function listDue(layout: usize, groups: usize): usize {
  const times = at.dueTimes(layout);
  const units = at.units(layout);
  let next = at.nextOpen(layout);
  let end = at.dueUnits(layout);
  for (let u: usize = 0; u < units; u++) {
    for (let group: usize = 0; group < groups; group++, next += 64) {
      let due = dueOf(times + (group << 6), next);
      for (; due != 0; due &= due - 1, end += 8) {
        store<u32>(end, u);
        store<u32>(end, (group << 4) + ctz(due), 4);
      }
    }
  }
  return end;
}

/** Bit b is set where sequence b of sixteen is due. */
@inline
function dueOf(times: usize, next: usize): u32 {
  const a = f32x4.ge(v128.load(times), v128.load(next));
  const b = f32x4.ge(v128.load(times, 16), v128.load(next, 16));
  const c = f32x4.ge(v128.load(times, 32), v128.load(next, 32));
  const d = f32x4.ge(v128.load(times, 48), v128.load(next, 48));
  const first = i16x8.narrow_i32x4_s(a, b);
  return i8x16.bitmask(i8x16.narrow_i16x8_s(first, i16x8.narrow_i32x4_s(c, d)));
}

/**
 * Makes entries of what is due and open after all: two at a time and without branches, since which
 * way they would go is as good as random.
 *
 * @param lanes places of a unit in `nextOpen`
 * @param end of the list of what is due
 * @returns number of entries, −1 if there is not room for all
 */
export function listOpen(layout: usize, lanes: usize, end: usize, count: i32, mode: i32): i32 {
  const begin = count;
  for (let due = at.dueUnits(layout); due < end; due += 16) {
    // The last one is taken twice if there is no other, and counted once.
    const isPair = due + 8 < end;
    const other = isPair ? due + 8 : due;
    const time = pair(at.stepTimes(layout), due + 4, other + 4);
    const turns = f64x2.mul(time, pair(at.frequency(layout), due, other));
    const phase = phaseOf(turns, pair(at.shift(layout), due, other));
    const isOpen = f64x2.lt(phase, pair(at.openRatio(layout), due, other));
    const k = openness(mode, phase, pair(at.openSlope(layout), due, other));
    const rest = f64x2.sub(f64x2.sub(f64x2.splat(1), phase), f64x2.splat(EARLY));
    const opensUs = f64x2.add(time, f64x2.mul(rest, pair(at.period(layout), due, other)));
    writeNext(at.nextOpen(layout), lanes, due, other, opensUs, isOpen);
    const openers = openersOf(isOpen, k, isPair);
    const first = count;
    count += openers & 1;
    writeUnit(layout, first, load<u32>(due), at.viewOf(layout, load<u32>(due, 4)));
    writeUnit(layout, count, load<u32>(other), at.viewOf(layout, load<u32>(other, 4)));
    writeLanes(at.turns(layout), first, count, turns);
    writeLanes(at.phi(layout), first, count, phase);
    writeLanes(at.k(layout), first, count, k);
    count += openers >> 1;
    // There is room for two more.
    if (count > (at.entriesMax(layout) as i32)) return -1;
  }
  store<i32>(at.openCount(layout), load<i32>(at.openCount(layout)) + count - begin);
  return count;
}

/** The float64 of a table whose places are at two addresses. */
@inline
function pair(table: usize, p: usize, q: usize): v128 {
  const first = v128.load64_zero(table + (load<u32>(p) << 3));
  return v128.load64_lane(table + (load<u32>(q) << 3), first, 1);
}

/** When two due units are to be looked at again: at the next step, or a little before they open. */
@inline
function writeNext(
  nextOpen: usize,
  lanes: usize,
  due: usize,
  other: usize,
  opensUs: v128,
  isOpen: v128,
): void {
  const rounded = f32x4.demote_f64x2_zero(opensUs);
  const early = f32x4.sub(rounded, f32x4.mul(f32x4.abs(rounded), f32x4.splat(ROUNDING)));
  const isNow = v128.shuffle<i32>(isOpen, isOpen, 0, 2, 0, 2);
  const next = v128.bitselect(f32x4.splat(-Infinity), early, isNow);
  v128.store32_lane(placeOf(nextOpen, lanes, due), next, 0);
  v128.store32_lane(placeOf(nextOpen, lanes, other), next, 1);
}

@inline
function placeOf(nextOpen: usize, lanes: usize, due: usize): usize {
  return nextOpen + ((load<u32>(due) * lanes + load<u32>(due, 4)) << 2);
}

/** Writes places e and f of a table; what is not open is written over by the next. */
@inline
function writeLanes(table: usize, e: usize, f: usize, pair: v128): void {
  const rounded = f32x4.demote_f64x2_zero(pair);
  v128.store32_lane(table + (e << 2), rounded, 0);
  v128.store32_lane(table + (f << 2), rounded, 1);
}
