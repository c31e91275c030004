import { addGateGradients } from "../gates/gate-gradients";
import * as at from "../layout";
import { addPeepholeGradients } from "../units/peephole-gradients";

/**
 * What addChunkGradients does, of a chunk whose rounds list every unit of `active` sequences: the
 * entries of a unit and the kept v of a round lie one behind the other.
 *
 * @param round first of the chunk, of `kept` rounds; the v of its last round were kept first
 * @param roundBytes from the kept v of one round to those of the next
 */
export function addWholeChunkGradients(
  layout: usize,
  round: usize,
  kept: usize,
  roundBytes: usize,
  active: usize,
  leak: f64,
  oscillates: bool,
): void {
  const units = at.units(layout);
  const bytes = at.viewBytes(layout);
  const views = at.chunkViews(layout);
  const sorted = at.chunkEntries(layout);
  const unitBytes = active << 4;
  let z = at.gates(layout) + (at.firstEntryOf(layout, round + kept - 1) << 4);
  for (let u: usize = 0; u < units; u++, z += unitBytes) {
    const gradient = at.rowsGradient(layout) + (u << 2) * bytes;
    for (let m: usize = 0; m < bytes; m += 32) {
      addBlock(
        gradient + (m << 2),
        z,
        units * unitBytes,
        unitBytes,
        views + m,
        roundBytes,
        bytes,
        kept,
      );
    }
    // What remains is little, and goes by a list as it does where units are skipped.
    let last = sorted;
    for (let s: usize = 0; s < kept; s++) {
      const start = z - s * units * unitBytes;
      for (let e: usize = 0; e < unitBytes; e += 16, last += 8) store<u32>(last, start + e);
    }
    addPeepholeGradients(layout, u, sorted, last);
    if (oscillates) addGateGradients(layout, u, sorted, last, leak);
  }
}

/** Eight columns of v against the four gates of one unit, summed over entries in registers. */
function addBlock(
  gradient: usize,
  z: usize,
  roundZ: usize,
  unitBytes: usize,
  views: usize,
  roundBytes: usize,
  bytes: usize,
  kept: usize,
): void {
  let ai = v128.load(gradient);
  let af = v128.load(gradient, 16);
  let ag = v128.load(gradient, 32);
  let ao = v128.load(gradient, 48);
  let bi = v128.load(gradient, 64);
  let bf = v128.load(gradient, 80);
  let bg = v128.load(gradient, 96);
  let bo = v128.load(gradient, 112);
  for (; kept > 0; kept--, z -= roundZ, views += roundBytes) {
    let view = views;
    const end = z + unitBytes;
    for (let entry = z; entry < end; entry += 16, view += bytes) {
      const a = v128.load(view);
      const b = v128.load(view, 16);
      const i = v128.load32_splat(entry);
      ai = f32x4.add(ai, f32x4.mul(a, i));
      bi = f32x4.add(bi, f32x4.mul(b, i));
      const f = v128.load32_splat(entry, 4);
      af = f32x4.add(af, f32x4.mul(a, f));
      bf = f32x4.add(bf, f32x4.mul(b, f));
      const g = v128.load32_splat(entry, 8);
      ag = f32x4.add(ag, f32x4.mul(a, g));
      bg = f32x4.add(bg, f32x4.mul(b, g));
      const o = v128.load32_splat(entry, 12);
      ao = f32x4.add(ao, f32x4.mul(a, o));
      bo = f32x4.add(bo, f32x4.mul(b, o));
    }
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
