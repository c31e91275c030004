import * as at from "./layout";

/**
 * Lists units to evaluate, and counts those that are open and do not only leak. `mode`: 0 triangular gate, 1 square, 2 always open; `all`: closed ones
 * too. Returns the number of entries, −1 if there is not room for all.
 */
export function scanGates(layout: usize, events: i32, mode: i32, leak: f64, all: bool): i32 {
  const units = at.units(layout) as i32;
  const entriesMax = at.openUnitsMax(layout) as i32;
  // Held in locals: a store may change what a pointer in memory is, as far as a compiler knows.
  const start = at.start(layout);
  const unit = at.unit(layout);
  const phi = at.phi(layout);
  const k = at.k(layout);
  const timeUs = at.timeUs(layout);
  const frequency = at.frequency(layout);
  const shift = at.shift(layout);
  const openRatio = at.openRatio(layout);
  const every = all || mode == 2;
  let count: i32 = 0;
  let openCount: i32 = 0;
  for (let n = 0; n < events; n++) {
    store<i32>(start + (n << 2), count);
    const time = load<f64>(timeUs + (n << 3));
    const times = f64x2.splat(time);
    // Eight units at a time, a bit for each. Past the last unit the open ratio is 0.
    for (let u = 0; u < units; u += 8) {
      const from = u << 3;
      let open: i32 = every
        ? (1 << min(8, units - u)) - 1
        : openOfEight(times, frequency + from, shift + from, openRatio + from);
      for (; open != 0; open &= open - 1) {
        const one = u + ctz(open);
        const cycles = time * load<f64>(frequency + (one << 3)) - load<f64>(shift + (one << 3));
        const phase = cycles - floor(cycles);
        const ratio = load<f64>(openRatio + (one << 3));
        const openness = opennessAt(mode, phase, ratio, leak);
        if (!all && openness == 0) continue;
        if (count == entriesMax) return -1;
        store<i32>(unit + (count << 2), one);
        store<f32>(phi + (count << 2), phase as f32);
        store<f32>(k + (count << 2), openness as f32);
        count++;
        if (openness > 0 && (mode == 2 || phase < ratio)) openCount++;
      }
    }
  }
  store<i32>(start + (events << 2), count);
  store<i32>(at.openCount(layout), openCount);
  return count;
}

/** Bit j is set where unit j of eight is open. */
@inline
function openOfEight(times: v128, frequency: usize, shift: usize, openRatio: usize): i32 {
  const first = openOfFour(times, frequency, shift, openRatio);
  const second = openOfFour(times, frequency + 32, shift + 32, openRatio + 32);
  return i16x8.bitmask(i16x8.narrow_i32x4_s(first, second));
}

/** All bits of lane j are set where unit j of four is open. */
@inline
function openOfFour(times: v128, frequency: usize, shift: usize, openRatio: usize): v128 {
  const first = belowRatio(times, frequency, shift, openRatio);
  const second = belowRatio(times, frequency + 16, shift + 16, openRatio + 16);
  return v128.shuffle<i32>(first, second, 0, 2, 4, 6);
}

@inline
function belowRatio(times: v128, frequency: usize, shift: usize, openRatio: usize): v128 {
  const cycles = f64x2.sub(f64x2.mul(times, v128.load(frequency)), v128.load(shift));
  return f64x2.lt(f64x2.sub(cycles, f64x2.floor(cycles)), v128.load(openRatio));
}

@inline
function opennessAt(mode: i32, phase: f64, ratio: f64, leak: f64): f64 {
  if (mode == 2) return 1;
  if (mode == 1) return phase < ratio ? 1 : 0;
  if (phase < ratio / 2) return (2 * phase) / ratio;
  return phase < ratio ? 2 - (2 * phase) / ratio : leak * phase;
}
