import * as at from "../layout";
import { eventAt, steps } from "../sequences";

/** Share of a period by which a unit is looked at before it opens: far more than rounding errs. */
const EARLY: f64 = 1e-6;
/** More than float32 rounds by. */
const ROUNDING: f32 = 2.4e-7;

/**
 * Lists units to evaluate, step by step, in a step unit by unit, and counts those that are open and
 * do not only leak. A closed unit is not looked at again before it opens.
 *
 * @param mode 0 triangular gate, 1 square, 2 always open
 * @param all lists closed units too
 * @returns number of entries, −1 if there is not room for all
 */
export function scanGates(layout: usize, sequences: i32, mode: i32, leak: f64, all: bool): i32 {
  const stepStart = at.stepStart(layout);
  const groups: usize = (sequences + 15) >> 4;
  const nextOpen = at.nextOpen(layout);
  for (let place: usize = 0; place < (at.units(layout) * groups) << 6; place += 4) {
    store<f32>(nextOpen + place, -Infinity);
  }
  store<i32>(at.openCount(layout), 0);
  const last = steps(layout, sequences);
  let count = 0;
  for (let step = 0; step < last; step++) {
    store<i32>(stepStart + (step << 2), count);
    writeTimes(layout, sequences, step);
    const end = listDue(layout, groups);
    count = listOpen(layout, groups << 4, end, count, mode, leak, all);
    if (count < 0) return -1;
  }
  store<i32>(stepStart + (last << 2), count);
  return count;
}

/** Times of event `step` of all sequences; NaN, which is never due, where there is none. */
function writeTimes(layout: usize, sequences: i32, step: i32): void {
  const dueTimes = at.dueTimes(layout);
  for (let b = 0; b < ((sequences + 15) & ~15); b++) {
    const n = b < sequences ? eventAt(layout, b, step) : -1;
    const time = n < 0 ? NaN : load<f64>(at.timeUs(layout) + (n << 3));
    const rounded = time as f32;
    store<f64>(at.stepTimes(layout) + (b << 3), time);
    store<f32>(dueTimes + (b << 2), rounded + abs(rounded) * ROUNDING);
  }
}

/**
 * Lists what may be open at a step, unit by unit: unit and sequence, four bytes each.
 *
 * @param groups of sixteen sequences
 * @returns the end of the list
 */
function listDue(layout: usize, groups: usize): usize {
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
function listOpen(
  layout: usize,
  lanes: usize,
  end: usize,
  count: i32,
  mode: i32,
  leak: f64,
  all: bool,
): i32 {
  const isTriangular = i64x2.splat(mode == 0 ? -1 : 0);
  const isAlways = i64x2.splat(mode == 2 ? -1 : 0);
  const isSkipped = i64x2.splat(all ? 0 : -1);
  const one = f64x2.splat(1);
  let opened = 0;
  for (let due = at.dueUnits(layout); due < end; due += 16) {
    // The last one is taken twice if there is no other, and counted once.
    const isPair = due + 8 < end;
    const other = isPair ? due + 8 : due;
    const time = pair(at.stepTimes(layout), due + 4, other + 4);
    const turns = f64x2.mul(time, pair(at.frequency(layout), due, other));
    const cycles = f64x2.sub(turns, pair(at.shift(layout), due, other));
    const phase = f64x2.sub(cycles, f64x2.floor(cycles));
    const isInside = f64x2.lt(phase, pair(at.openRatio(layout), due, other));
    const isOpen = v128.or(isInside, isAlways);
    const rise = f64x2.mul(phase, pair(at.openSlope(layout), due, other));
    const triangle = f64x2.pmin(rise, f64x2.sub(f64x2.splat(2), rise));
    const openness = v128.bitselect(triangle, one, isTriangular);
    const k = v128.bitselect(openness, f64x2.mul(phase, f64x2.splat(leak)), isOpen);
    const rest = f64x2.sub(f64x2.sub(one, phase), f64x2.splat(EARLY));
    const opensUs = f64x2.add(time, f64x2.mul(rest, pair(at.period(layout), due, other)));
    const waits = v128.andnot(isSkipped, isOpen);
    writeNext(at.nextOpen(layout), lanes, due, other, opensUs, waits);
    const first = count;
    const openers =
      i64x2.bitmask(v128.and(isOpen, f64x2.gt(k, f64x2.splat(0)))) & (isPair ? 3 : 1);
    opened += popcnt(openers);
    count += (openers & 1) | i32(all);
    writeEntries(layout, due, other, first, count, turns, phase, k);
    count += (openers >> 1) | (i32(all) & i32(isPair));
    // There is room for two more.
    if (count > (at.entriesMax(layout) as i32)) return -1;
  }
  store<i32>(at.openCount(layout), load<i32>(at.openCount(layout)) + opened);
  return count;
}

/** The float64 of a table whose places are at two addresses. */
@inline
function pair(table: usize, p: usize, q: usize): v128 {
  const first = v128.load64_zero(table + (load<u32>(p) << 3));
  return v128.load64_lane(table + (load<u32>(q) << 3), first, 1);
}

/** When two due units are to be looked at again: a little early if they wait, else at every step. */
@inline
function writeNext(
  nextOpen: usize,
  lanes: usize,
  due: usize,
  other: usize,
  opensUs: v128,
  waits: v128,
): void {
  const rounded = f32x4.demote_f64x2_zero(opensUs);
  const early = f32x4.sub(rounded, f32x4.mul(f32x4.abs(rounded), f32x4.splat(ROUNDING)));
  const isLater = v128.shuffle<i32>(waits, waits, 0, 2, 0, 2);
  const next = v128.bitselect(early, f32x4.splat(-Infinity), isLater);
  v128.store32_lane(placeOf(nextOpen, lanes, due), next, 0);
  v128.store32_lane(placeOf(nextOpen, lanes, other), next, 1);
}

@inline
function placeOf(nextOpen: usize, lanes: usize, due: usize): usize {
  return nextOpen + ((load<u32>(due) * lanes + load<u32>(due, 4)) << 2);
}

/** Writes entries e and f; what is not open is written over by the next. */
@inline
function writeEntries(
  layout: usize,
  due: usize,
  other: usize,
  e: usize,
  f: usize,
  turns: v128,
  phase: v128,
  k: v128,
): void {
  const entries = at.entries(layout);
  store<u32>(entries + (e << 3), load<u32>(due));
  store<u32>(entries + (e << 3), at.viewOf(layout, load<u32>(due, 4)), 4);
  store<u32>(entries + (f << 3), load<u32>(other));
  store<u32>(entries + (f << 3), at.viewOf(layout, load<u32>(other, 4)), 4);
  writeLanes(at.turns(layout), e, f, turns);
  writeLanes(at.phi(layout), e, f, phase);
  writeLanes(at.k(layout), e, f, k);
}

@inline
function writeLanes(table: usize, e: usize, f: usize, pair: v128): void {
  const rounded = f32x4.demote_f64x2_zero(pair);
  v128.store32_lane(table + (e << 2), rounded, 0);
  v128.store32_lane(table + (f << 2), rounded, 1);
}
