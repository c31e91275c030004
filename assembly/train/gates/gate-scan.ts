import * as at from "../layout";
import { eventAt, steps } from "../sequences";

/** Share of a period by which a unit is looked at before it opens: far more than rounding errs. */
const EARLY: f64 = 1e-6;

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
  const entriesMax = at.entriesMax(layout);
  const frequency = at.frequency(layout);
  const shift = at.shift(layout);
  const openRatio = at.openRatio(layout);
  const times = at.stepTimes(layout);
  const pairs: usize = ((sequences + 1) >> 1) << 4;
  const every = all || mode == 2;
  for (let u: usize = 0; u < units * pairs; u += 8) store<f64>(at.nextOpen(layout) + u, -Infinity);
  const last = steps(layout, sequences);
  let count: usize = 0;
  let openCount = 0;
  for (let step = 0; step < last; step++) {
    store<u32>(at.stepStart(layout) + (step << 2), count);
    writeTimes(layout, sequences, step);
    for (let u: usize = 0; u < units; u++) {
      const next = at.nextOpen(layout) + u * pairs;
      const turnsPerUs = load<f64>(frequency + (u << 3));
      const ratio = load<f64>(openRatio + (u << 3));
      for (let from: usize = 0; from < pairs; from += 256) {
        let due = dueOf(times + from, next + from, min(from + 256, pairs) - from);
        for (; due != 0; due &= due - 1) {
          const place = from + (ctz(due) << 3);
          const turns = load<f64>(times + place) * turnsPerUs;
          const cycles = turns - load<f64>(shift + (u << 3));
          const phase = cycles - floor(cycles);
          if (!every && phase >= ratio) {
            const waitUs = (1 - phase - EARLY) / turnsPerUs;
            store<f64>(next + place, load<f64>(times + place) + waitUs);
            continue;
          }
          const k = opennessAt(mode, phase, ratio, leak);
          if (!all && k == 0) continue;
          if (count == entriesMax) return -1;
          store<u32>(at.entries(layout) + (count << 3), u);
          store<u32>(at.entries(layout) + (count << 3), at.viewOf(layout, place >> 3), 4);
          store<f32>(at.turns(layout) + (count << 2), turns as f32);
          store<f32>(at.phi(layout) + (count << 2), phase as f32);
          store<f32>(at.k(layout) + (count << 2), k as f32);
          count++;
          if (k > 0 && (mode == 2 || phase < ratio)) openCount++;
        }
      }
    }
  }
  store<u32>(at.stepStart(layout) + (last << 2), count);
  store<i32>(at.openCount(layout), openCount);
  return count as i32;
}

/** Times of event `step` of all sequences; NaN, which is never due, where there is none. */
function writeTimes(layout: usize, sequences: i32, step: i32): void {
  const times = at.stepTimes(layout);
  store<f64>(times + (sequences << 3), NaN);
  for (let b = 0; b < sequences; b++) {
    const n = eventAt(layout, b, step);
    store<f64>(times + (b << 3), n < 0 ? NaN : load<f64>(at.timeUs(layout) + (n << 3)));
  }
}

/** Bit b is set where sequence b of at most 32 is due. */
@inline
function dueOf(times: usize, next: usize, bytes: usize): u32 {
  let due: u32 = 0;
  for (let place: usize = 0; place < bytes; place += 16) {
    const pair = i64x2.bitmask(f64x2.ge(v128.load(times + place), v128.load(next + place)));
    due |= pair << ((place >> 3) as i32);
  }
  return due;
}

@inline
function opennessAt(mode: i32, phase: f64, ratio: f64, leak: f64): f64 {
  if (mode == 2) return 1;
  if (mode == 1) return phase < ratio ? 1 : 0;
  if (phase < ratio / 2) return (2 * phase) / ratio;
  return phase < ratio ? 2 - (2 * phase) / ratio : leak * phase;
}
