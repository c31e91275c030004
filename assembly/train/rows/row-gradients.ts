import { addGateGradients } from "../gates/gate-gradients";
import * as at from "../layout";
import { addPeepholeGradients } from "../units/peephole-gradients";

/**
 * z = rows · v of the entries of a chunk: adds to the derivatives by the rows and all else that
 * belongs to one unit, from those by z and k.
 */
export function addChunkGradients(layout: usize, oscillates: bool): void {
  const units = at.units(layout);
  const bytes = at.viewBytes(layout);
  const starts = at.unitStart(layout);
  const sorted = at.chunkEntries(layout);
  for (let u: usize = 0; u < units; u++) {
    const first = sorted + (load<u32>(starts + (u << 2)) << 3);
    const last = sorted + (load<u32>(starts + (u << 2), 4) << 3);
    if (first == last) continue;
    const gradient = at.rowsGradient(layout) + (u << 2) * bytes;
    for (let m: usize = 0; m < bytes; m += 32) addBlock(gradient + (m << 2), m, first, last);
    addPeepholeGradients(layout, u, first, last);
    if (oscillates) addGateGradients(layout, u, first, last);
  }
}

/** Eight columns of v against the four gates of one unit, summed over entries in registers. */
@inline
function addBlock(gradient: usize, column: usize, first: usize, last: usize): void {
  let ai = v128.load(gradient);
  let af = v128.load(gradient, 16);
  let ag = v128.load(gradient, 32);
  let ao = v128.load(gradient, 48);
  let bi = v128.load(gradient, 64);
  let bf = v128.load(gradient, 80);
  let bg = v128.load(gradient, 96);
  let bo = v128.load(gradient, 112);
  for (let entry = first; entry < last; entry += 8) {
    const z = load<u32>(entry);
    const view = load<u32>(entry, 4) + column;
    const a = v128.load(view);
    const b = v128.load(view, 16);
    const i = v128.load32_splat(z);
    ai = f32x4.add(ai, f32x4.mul(a, i));
    bi = f32x4.add(bi, f32x4.mul(b, i));
    const f = v128.load32_splat(z, 4);
    af = f32x4.add(af, f32x4.mul(a, f));
    bf = f32x4.add(bf, f32x4.mul(b, f));
    const g = v128.load32_splat(z, 8);
    ag = f32x4.add(ag, f32x4.mul(a, g));
    bg = f32x4.add(bg, f32x4.mul(b, g));
    const o = v128.load32_splat(z, 12);
    ao = f32x4.add(ao, f32x4.mul(a, o));
    bo = f32x4.add(bo, f32x4.mul(b, o));
  }
  v128.store(gradient, ai);
  v128.store(gradient, af, 16);
  v128.store(gradient, ag, 32);
  v128.store(gradient, ao, 48);
  v128.store(gradient, bi, 64);
  v128.store(gradient, bf, 80);
  v128.store(gradient, bg, 96);
  v128.store(gradient, bo, 112);
}
