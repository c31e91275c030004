import { completePreActivations } from "./activations";
import { AddressLayer } from "./address-layer";
import { clearPadding } from "./kernel";
import { candidateC, candidateH, mix } from "./lstm";
import { takeOpen } from "./open-sums";
import { preActivations } from "./pre-activations";
import { firstPairs, highHalves, lowHalves, secondPairs } from "./transpose";

/**
 * Events that find the same units open: the h of all others does not change, so what these add to the
 * pre-activations is summed once. All that an event reads of the open units and writes to them is kept
 * together, four units at a time. The bits are those of open-sums.ts.
 */

/** True if the units listed are those kept. */
export function areKept(a: AddressLayer, count: u32): bool {
  if (count != a.count) return false;
  const listed = a.layer.openUnits;
  for (let at: usize = 0; at < <usize>count << 2; at += 16) {
    if (v128.any_true(v128.xor(v128.load(listed + at), v128.load(a.units + at)))) return false;
  }
  return true;
}

/** Keeps the units listed. Until dropKept() their h in the state are 0. */
export function keep(a: AddressLayer, state: usize, count: u32): void {
  a.count = count;
  copyUnits(a, state);
  takeOpen(a, state, count);
  completeH(a);
  clearPadding(a.layer, state);
  sumClosed(a, state);
  gatherWeights(a);
}

/** Gives the state back what was kept, if there is any. */
export function dropKept(a: AddressLayer, state: usize): void {
  const c = state + (<usize>a.layer.columns << 2);
  for (let i: usize = 0; i < <usize>a.count << 2; i += 4) {
    const unit = <usize>load<u32>(a.units + i) << 2;
    store<f32>(state + unit, load<f32>(a.h + i));
    store<f32>(c + unit, load<f32>(a.c + i));
  }
  a.count = 0;
}

/** What belongs to a single unit, but its h. */
@inline
function copyUnits(a: AddressLayer, state: usize): void {
  const layer = a.layer;
  const c = state + (<usize>layer.columns << 2);
  const unitBytes = a.addresses << 4;
  const end = ((<usize>a.count << 2) + 12) & ~15;
  for (let i: usize = 0; i < end; i += 4) {
    const unit = load<u32>(layer.openUnits + i);
    store<u32>(a.units + i, unit);
    store<u32>(a.rows + i, unit * unitBytes);
    v128.store(layer.bias + (<usize>unit << 4), f32x4.splat(0));
    store<f32>(a.c + i, load<f32>(c + (<usize>unit << 2)));
  }
}

@inline
function completeH(a: AddressLayer): void {
  const end = a.h + (<usize>a.count << 2);
  const last = load<f32>(end - 4);
  store<f32>(end, last);
  store<f32>(end, last, 4);
  store<f32>(end, last, 8);
}

/** What the closed units add, and the peepholes, by slot. */
@inline
function sumClosed(a: AddressLayer, state: usize): void {
  const layer = a.layer;
  preActivations(layer, state, layer.openUnits, a.count);
  completePreActivations(layer.z, a.count);
  let sums = a.closedSums;
  let peepholes = a.peepholes;
  const p = layer.peepholes;
  let z = layer.z;
  for (let i: usize = 0; i < <usize>a.count << 2; i += 16) {
    storeColumns(sums, v128.load(z), v128.load(z, 16), v128.load(z, 32), v128.load(z, 48));
    storeColumns(
      peepholes,
      v128.load(p + (<usize>load<u32>(a.units + i) << 4)),
      v128.load(p + (<usize>load<u32>(a.units + i, 4) << 4)),
      v128.load(p + (<usize>load<u32>(a.units + i, 8) << 4)),
      v128.load(p + (<usize>load<u32>(a.units + i, 12) << 4)),
    );
    z += 64;
    sums += 64;
    peepholes += 64;
  }
}

/** Four units of four slots become four slots of four units. */
@inline
function storeColumns(target: usize, a: v128, b: v128, c: v128, d: v128): void {
  const low1 = lowHalves(a, b);
  const low2 = lowHalves(c, d);
  const high1 = highHalves(a, b);
  const high2 = highHalves(c, d);
  v128.store(target, firstPairs(low1, low2));
  v128.store(target, secondPairs(low1, low2), 16);
  v128.store(target, firstPairs(high1, high2), 32);
  v128.store(target, secondPairs(high1, high2), 48);
}

@inline
function gatherWeights(a: AddressLayer): void {
  const unitBytes = <usize>a.layer.units << 4;
  let target = a.weights;
  for (let i: usize = 0; i < <usize>a.count << 2; i += 16) {
    const b0 = a.columns + <usize>load<u32>(a.units + i) * unitBytes;
    const b1 = a.columns + <usize>load<u32>(a.units + i, 4) * unitBytes;
    const b2 = a.columns + <usize>load<u32>(a.units + i, 8) * unitBytes;
    const b3 = a.columns + <usize>load<u32>(a.units + i, 12) * unitBytes;
    for (let k: usize = 0; k < <usize>a.count << 2; k += 4) {
      const column = <usize>load<u32>(a.units + k) << 4;
      storeColumns(
        target, v128.load(b0 + column), v128.load(b1 + column), v128.load(b2 + column),
        v128.load(b3 + column),
      );
      target += 64;
    }
  }
}

/** One event of the units kept, whose k are those of layer.openness. */
@inline
export function stepKept(a: AddressLayer, address: u32): void {
  writeCandidates(a, a.table + (<usize>address << 4));
  mixCandidates(a);
}

/** Leaves c~ and the sums in the output gates in z. */
@inline
function writeCandidates(a: AddressLayer, table: usize): void {
  const end = a.c + (<usize>a.count << 2);
  const endOfH = a.h + (<usize>a.count << 2);
  let c = a.c;
  let rows = a.rows;
  let sums = a.closedSums;
  let weights = a.weights;
  let peepholes = a.peepholes;
  let z = a.layer.z;
  do {
    const ra = v128.load(table + <usize>load<u32>(rows));
    const rb = v128.load(table + <usize>load<u32>(rows, 4));
    const rc = v128.load(table + <usize>load<u32>(rows, 8));
    const rd = v128.load(table + <usize>load<u32>(rows, 12));
    const low1 = lowHalves(ra, rb);
    const low2 = lowHalves(rc, rd);
    const high1 = highHalves(ra, rb);
    const high2 = highHalves(rc, rd);
    let i = f32x4.add(v128.load(sums), firstPairs(low1, low2));
    let f = f32x4.add(v128.load(sums, 16), secondPairs(low1, low2));
    let g = f32x4.add(v128.load(sums, 32), firstPairs(high1, high2));
    let o = f32x4.add(v128.load(sums, 48), secondPairs(high1, high2));
    let at = a.h;
    do {
      const h = v128.load32_splat(at);
      i = f32x4.add(i, f32x4.mul(v128.load(weights), h));
      f = f32x4.add(f, f32x4.mul(v128.load(weights, 16), h));
      g = f32x4.add(g, f32x4.mul(v128.load(weights, 32), h));
      o = f32x4.add(o, f32x4.mul(v128.load(weights, 48), h));
      weights += 64;
      at += 4;
    } while (at < endOfH);
    const oldC = v128.load(c);
    i = f32x4.add(i, f32x4.mul(v128.load(peepholes), oldC));
    f = f32x4.add(f, f32x4.mul(v128.load(peepholes, 16), oldC));
    const next = candidateC(i, f, g, oldC);
    v128.store(z, next);
    v128.store(z, f32x4.add(o, f32x4.mul(v128.load(peepholes, 48), next)), 16);
    c += 16;
    rows += 16;
    sums += 64;
    peepholes += 64;
    z += 32;
  } while (c < end);
}

@inline
function mixCandidates(a: AddressLayer): void {
  const end = a.c + (<usize>a.count << 2);
  let c = a.c;
  let h = a.h;
  let openness = a.layer.openness;
  let z = a.layer.z;
  do {
    const next = v128.load(z);
    const out = candidateH(next, v128.load(z, 16));
    const k = v128.load(openness);
    v128.store(c, mix(k, next, v128.load(c)));
    v128.store(h, mix(k, out, v128.load(h)));
    c += 16;
    h += 16;
    openness += 16;
    z += 32;
  } while (c < end);
}
