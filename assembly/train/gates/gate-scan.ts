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
  const units = at.units(layout);
  const stepStart = at.stepStart(layout);
  const dueTimes = at.dueTimes(layout);
  const nextOpen = at.nextOpen(layout);
  const groups: usize = (sequences + 15) >> 4;
  for (let place: usize = 0; place < (units * groups) << 6; place += 4) {
    store<f32>(nextOpen + place, -Infinity);
  }
  store<i32>(at.openCount(layout), 0);
  const last = steps(layout, sequences);
  let count: usize = 0;
  for (let step = 0; step < last; step++) {
    store<u32>(stepStart + (step << 2), count);
    writeTimes(layout, sequences, step);
    let next = nextOpen;
    for (let u: usize = 0; u < units; u++) {
      for (let group: usize = 0; group < groups; group++, next += 64) {
        const due = dueOf(dueTimes + (group << 6), next);
        if (due == 0) continue;
        count = listDue(layout, u, group << 4, due, next, count, mode, leak, all);
        // There is room for sixteen more.
        if (count > at.entriesMax(layout)) return -1;
      }
    }
  }
  store<u32>(stepStart + (last << 2), count);
  return count as i32;
}

/**
 * Lists unit u of the sequences in `due`, of sixteen from `from` on, where it is open after all.
 *
 * @returns number of entries
 */
@inline
function listDue(
  layout: usize,
  u: usize,
  from: usize,
  due: u32,
  next: usize,
  count: usize,
  mode: i32,
  leak: f64,
  all: bool,
): usize {
  const times = at.stepTimes(layout) + (from << 3);
  const turnsPerUs = load<f64>(at.frequency(layout) + (u << 3));
  const shift = load<f64>(at.shift(layout) + (u << 3));
  const ratio = load<f64>(at.openRatio(layout) + (u << 3));
  const entries = at.entries(layout);
  const turnsAt = at.turns(layout);
  const phi = at.phi(layout);
  const kAt = at.k(layout);
  const bytes = at.viewBytes(layout);
  const v = at.v(layout) + from * bytes;
  let open = 0;
  for (; due != 0; due &= due - 1) {
    const b: usize = ctz(due);
    const time = load<f64>(times + (b << 3));
    const turns = time * turnsPerUs;
    const cycles = turns - shift;
    const phase = cycles - floor(cycles);
    // No branches: which way they go is as good as random.
    const isOpen = phase < ratio || mode == 2;
    const k = opennessAt(mode, phase, ratio, leak);
    store<u32>(entries + (count << 3), u);
    store<u32>(entries + (count << 3), v + b * bytes, 4);
    store<f32>(turnsAt + (count << 2), turns as f32);
    store<f32>(phi + (count << 2), phase as f32);
    store<f32>(kAt + (count << 2), k as f32);
    const isOpener: i32 = i32(isOpen) & i32(k > 0);
    open += isOpener;
    count += isOpener | i32(all);
    const opensUs = (time + (1 - phase - EARLY) / turnsPerUs) as f32;
    const waits = !(isOpen || all);
    store<f32>(
      next + (b << 2),
      select<f32>(opensUs - abs(opensUs) * ROUNDING, -Infinity, waits),
    );
  }
  store<i32>(at.openCount(layout), load<i32>(at.openCount(layout)) + open);
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

@inline
function opennessAt(mode: i32, phase: f64, ratio: f64, leak: f64): f64 {
  if (mode == 2) return 1;
  if (mode == 1) return select<f64>(1, 0, phase < ratio);
  const rise = (2 * phase) / ratio;
  return select<f64>(select<f64>(rise, 2 - rise, rise < 1), leak * phase, phase < ratio);
}
