// The sequence op of one Phased LSTM layer in float32 SIMD: the twin of
// src/train/sequence-op/typescript-sequence-op.ts, function by function; read that one first.
import * as at from "./layout";
import { sigmoid4 } from "./sigmoid";

/**
 * Lists units to evaluate. `mode`: 0 triangular gate, 1 square, 2 always open; `all`: closed ones
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
  let count: i32 = 0;
  for (let n = 0; n < events; n++) {
    store<i32>(start + (n << 2), count);
    const time = load<f64>(timeUs + (n << 3));
    const times = f64x2.splat(time);
    // Four units at a time: at 5 % open four of five groups have none. Past the last unit the
    // open ratio is 0.
    for (let u = 0; u < units; u += 4) {
      const from = u << 3;
      const some =
        all ||
        mode == 2 ||
        v128.any_true(
          v128.or(
            belowRatio(times, frequency + from, shift + from, openRatio + from),
            belowRatio(times, frequency + from + 16, shift + from + 16, openRatio + from + 16),
          ),
        );
      if (!some) continue;
      const last = min(u + 4, units);
      for (let one = u; one < last; one++) {
        const cycles = time * load<f64>(frequency + (one << 3)) - load<f64>(shift + (one << 3));
        const phase = cycles - floor(cycles);
        const open = openness(mode, phase, load<f64>(openRatio + (one << 3)), leak);
        if (!all && open == 0) continue;
        if (count == entriesMax) return -1;
        store<i32>(unit + (count << 2), one);
        store<f32>(phi + (count << 2), phase as f32);
        store<f32>(k + (count << 2), open as f32);
        count++;
      }
    }
  }
  store<i32>(start + (events << 2), count);
  return count;
}

@inline
function belowRatio(times: v128, frequency: usize, shift: usize, openRatio: usize): v128 {
  const cycles = f64x2.sub(f64x2.mul(times, v128.load(frequency)), v128.load(shift));
  return f64x2.lt(f64x2.sub(cycles, f64x2.floor(cycles)), v128.load(openRatio));
}

@inline
function openness(mode: i32, phase: f64, ratio: f64, leak: f64): f64 {
  if (mode == 2) return 1;
  if (mode == 1) return phase < ratio ? 1 : 0;
  if (phase < ratio / 2) return (2 * phase) / ratio;
  return phase < ratio ? 2 - (2 * phase) / ratio : leak * phase;
}

export function forward(layout: usize, sequences: i32): void {
  for (let b = 0; b < sequences; b++) forwardSequence(layout, b);
}

function forwardSequence(layout: usize, b: usize): void {
  const units = at.units(layout);
  const inputs = at.inputs(layout);
  const v = at.v(layout);
  const c = at.stateC(layout) + ((b * units) << 2);
  const h = at.stateH(layout) + ((b * units) << 2);
  beginSequence(layout, h);
  const to = load<i32>(at.offsets(layout) + ((b + 1) << 2));
  const readFrom = load<i32>(at.readFrom(layout) + (b << 2));
  for (let n = load<i32>(at.offsets(layout) + (b << 2)); n < to; n++) {
    const first = load<i32>(at.start(layout) + (n << 2));
    const last = load<i32>(at.start(layout) + ((n + 1) << 2));
    if (first != last) {
      memory.copy(v + (units << 2), at.x(layout) + ((usize(n) * inputs) << 2), inputs << 2);
      for (let e: usize = first; e < usize(last); e++) evaluateUnit(layout, v, c, e);
      for (let e: usize = first; e < usize(last); e++) openUnit(layout, v, c, e);
    }
    if (n >= readFrom) memory.copy(at.h(layout) + ((usize(n) * units) << 2), v, units << 2);
  }
  memory.copy(h, v, units << 2);
}

function beginSequence(layout: usize, h: usize): void {
  const units = at.units(layout);
  const v = at.v(layout);
  memory.fill(v, 0, at.length(layout) << 2);
  memory.copy(v, h, units << 2);
  store<f32>(v + ((units + at.inputs(layout)) << 2), 1);
}

/** Sum of each of four vectors, side by side. */
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  // ab = [a, b, a, b], cd = [c, d, c, d].
  return f32x4.add(
    v128.shuffle<f32>(ab, cd, 0, 1, 4, 5),
    v128.shuffle<f32>(ab, cd, 2, 3, 6, 7),
  );
}

function evaluateUnit(layout: usize, v: usize, c: usize, e: usize): void {
  const units = at.units(layout);
  const stride = at.length(layout) << 2;
  const u: usize = load<u32>(at.unit(layout) + (e << 2));
  let row = at.rows(layout) + u * 4 * stride;
  const end = v + stride;
  let zi = f32x4.splat(0);
  let zf = f32x4.splat(0);
  let zg = f32x4.splat(0);
  let zo = f32x4.splat(0);
  let yi = f32x4.splat(0);
  let yf = f32x4.splat(0);
  let yg = f32x4.splat(0);
  let yo = f32x4.splat(0);
  for (let m = v; m < end; m += 32, row += 128) {
    const value = v128.load(m);
    zi = f32x4.add(zi, f32x4.mul(v128.load(row), value));
    zf = f32x4.add(zf, f32x4.mul(v128.load(row, 16), value));
    zg = f32x4.add(zg, f32x4.mul(v128.load(row, 32), value));
    zo = f32x4.add(zo, f32x4.mul(v128.load(row, 48), value));
    const next = v128.load(m, 16);
    yi = f32x4.add(yi, f32x4.mul(v128.load(row, 64), next));
    yf = f32x4.add(yf, f32x4.mul(v128.load(row, 80), next));
    yg = f32x4.add(yg, f32x4.mul(v128.load(row, 96), next));
    yo = f32x4.add(yo, f32x4.mul(v128.load(row, 112), next));
  }
  const z = sums(f32x4.add(zi, yi), f32x4.add(zf, yf), f32x4.add(zg, yg), f32x4.add(zo, yo));
  const peephole = at.peepholes(layout) + (u << 2);
  const cOld = load<f32>(c + (u << 2));
  // tanh(z) = 2 sigmoid(2z) − 1, so that three gates take one evaluation.
  const first = sigmoid4(
    f32x4(
      f32x4.extract_lane(z, 0) + load<f32>(peephole) * cOld,
      f32x4.extract_lane(z, 1) + load<f32>(peephole + (units << 2)) * cOld,
      f32x4.extract_lane(z, 2) * 2,
      0,
    ),
  );
  const i = f32x4.extract_lane(first, 0);
  const f = f32x4.extract_lane(first, 1);
  const g: f32 = f32x4.extract_lane(first, 2) * 2 - 1;
  const cNew = f * cOld + i * g;
  const second = sigmoid4(
    f32x4(
      f32x4.extract_lane(z, 3) + load<f32>(peephole + (units << 3)) * cNew,
      cNew * 2,
      0,
      0,
    ),
  );
  v128.store(at.gates(layout) + (e << 4), f32x4(i, f, g, f32x4.extract_lane(second, 0)));
  v128.store(
    at.cells(layout) + (e << 4),
    f32x4(cOld, load<f32>(v + (u << 2)), cNew, f32x4.extract_lane(second, 1) * 2 - 1),
  );
}

/** Eqs. 8 and 10. */
@inline
function openUnit(layout: usize, v: usize, c: usize, e: usize): void {
  const u: usize = load<u32>(at.unit(layout) + (e << 2));
  const k = load<f32>(at.k(layout) + (e << 2));
  if (k == 0) return;
  const o = load<f32>(at.gates(layout) + (e << 4), 12);
  const cell = at.cells(layout) + (e << 4);
  store<f32>(c + (u << 2), k * load<f32>(cell, 8) + (1 - k) * load<f32>(cell));
  store<f32>(v + (u << 2), k * o * load<f32>(cell, 12) + (1 - k) * load<f32>(cell, 4));
}

export function backward(layout: usize, sequences: i32): void {
  for (let b = 0; b < sequences; b++) backwardSequence(layout, b);
}

function backwardSequence(layout: usize, b: usize): void {
  const units = at.units(layout);
  const inputs = at.inputs(layout);
  const v = at.v(layout);
  const vGradient = at.vGradient(layout);
  const rest = (at.length(layout) - units) << 2;
  beginSequence(layout, at.stateH(layout) + ((b * units) << 2));
  memory.fill(vGradient, 0, at.length(layout) << 2);
  memory.fill(at.cGradient(layout), 0, units << 2);
  const from = load<i32>(at.offsets(layout) + (b << 2));
  const readFrom = load<i32>(at.readFrom(layout) + (b << 2));
  for (let n = load<i32>(at.offsets(layout) + ((b + 1) << 2)) - 1; n >= from; n--) {
    if (n >= readFrom) addTo(vGradient, at.hGradient(layout) + ((usize(n) * units) << 2), units);
    const first: usize = load<i32>(at.start(layout) + (n << 2));
    const last: usize = load<i32>(at.start(layout) + ((n + 1) << 2));
    const xGradient = at.xGradient(layout) + ((usize(n) * inputs) << 2);
    if (first == last) {
      memory.fill(xGradient, 0, inputs << 2);
      continue;
    }
    memory.copy(v + (units << 2), at.x(layout) + ((usize(n) * inputs) << 2), inputs << 2);
    memory.fill(vGradient + (units << 2), 0, rest);
    for (let e = first; e < last; e++) backwardUnit(layout, e, e - first);
    for (let e = first; e < last; e++) {
      const u: usize = load<u32>(at.unit(layout) + (e << 2));
      store<f32>(v + (u << 2), load<f32>(at.cells(layout) + (e << 4), 4));
    }
    for (let e = first; e < last; e++) backwardRows(layout, e, e - first);
    memory.copy(xGradient, vGradient + (units << 2), inputs << 2);
  }
}

@inline
function addTo(target: usize, source: usize, count: usize): void {
  for (let m: usize = 0; m < count << 2; m += 4) {
    store<f32>(target + m, load<f32>(target + m) + load<f32>(source + m));
  }
}

@inline
function accumulate(target: usize, value: f32): void {
  store<f32>(target, load<f32>(target) + value);
}

function backwardUnit(layout: usize, e: usize, slot: usize): void {
  const units = at.units(layout);
  const u: usize = load<u32>(at.unit(layout) + (e << 2));
  const peephole = at.peepholes(layout) + (u << 2);
  const peepholeGradient = at.peepholesGradient(layout) + (u << 2);
  const k = load<f32>(at.k(layout) + (e << 2));
  const gate = at.gates(layout) + (e << 4);
  const i = load<f32>(gate);
  const f = load<f32>(gate, 4);
  const g = load<f32>(gate, 8);
  const o = load<f32>(gate, 12);
  const cell = at.cells(layout) + (e << 4);
  const cOld = load<f32>(cell);
  const hOld = load<f32>(cell, 4);
  const cNew = load<f32>(cell, 8);
  const tanhC = load<f32>(cell, 12);
  const dhAt = at.vGradient(layout) + (u << 2);
  const dcAt = at.cGradient(layout) + (u << 2);
  const dh = load<f32>(dhAt);
  const dc = load<f32>(dcAt);
  store<f32>(at.kGradient(layout) + (e << 2), dh * (o * tanhC - hOld) + dc * (cNew - cOld));
  const dzo = k * dh * tanhC * o * (1 - o);
  const dcNew =
    k * dc + k * dh * o * (1 - tanhC * tanhC) + dzo * load<f32>(peephole + (units << 3));
  const dzi = dcNew * g * i * (1 - i);
  const dzf = dcNew * cOld * f * (1 - f);
  const dzg = dcNew * i * (1 - g * g);
  v128.store(at.z(layout) + (slot << 4), f32x4(dzi, dzf, dzg, dzo));
  accumulate(peepholeGradient, dzi * cOld);
  accumulate(peepholeGradient + (units << 2), dzf * cOld);
  accumulate(peepholeGradient + (units << 3), dzo * cNew);
  store<f32>(
    dcAt,
    (1 - k) * dc +
      dcNew * f +
      dzi * load<f32>(peephole) +
      dzf * load<f32>(peephole + (units << 2)),
  );
  store<f32>(dhAt, (1 - k) * dh);
}

@inline
function addScaled(target: usize, value: v128, scale: v128): void {
  v128.store(target, f32x4.add(v128.load(target), f32x4.mul(value, scale)));
}

function backwardRows(layout: usize, e: usize, slot: usize): void {
  const stride = at.length(layout) << 2;
  const u: usize = load<u32>(at.unit(layout) + (e << 2));
  const z = at.z(layout) + (slot << 4);
  const dzi = v128.load32_splat(z);
  const dzf = v128.load32_splat(z, 4);
  const dzg = v128.load32_splat(z, 8);
  const dzo = v128.load32_splat(z, 12);
  let v = at.v(layout);
  const end = v + stride;
  let vGradient = at.vGradient(layout);
  let row = at.rows(layout) + u * 4 * stride;
  let gradient = at.rowsGradient(layout) + u * 4 * stride;
  for (; v < end; v += 32, vGradient += 32, row += 128, gradient += 128) {
    backwardGroup(v, vGradient, row, gradient, dzi, dzf, dzg, dzo);
    backwardGroup(v + 16, vGradient + 16, row + 64, gradient + 64, dzi, dzf, dzg, dzo);
  }
}

@inline
function backwardGroup(
  v: usize,
  vGradient: usize,
  row: usize,
  gradient: usize,
  dzi: v128,
  dzf: v128,
  dzg: v128,
  dzo: v128,
): void {
  const value = v128.load(v);
  const fromInput = f32x4.add(
    f32x4.mul(v128.load(row), dzi),
    f32x4.mul(v128.load(row, 16), dzf),
  );
  const fromOutput = f32x4.add(
    f32x4.mul(v128.load(row, 32), dzg),
    f32x4.mul(v128.load(row, 48), dzo),
  );
  v128.store(vGradient, f32x4.add(v128.load(vGradient), f32x4.add(fromInput, fromOutput)));
  addScaled(gradient, value, dzi);
  addScaled(gradient + 16, value, dzf);
  addScaled(gradient + 32, value, dzg);
  addScaled(gradient + 48, value, dzo);
}
