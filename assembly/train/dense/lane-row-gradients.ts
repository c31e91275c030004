import * as at from "../layout";
import { storeFour } from "../units/lanes";
import { elementBytes, lanesFor } from "./lanes-of";

/** Derivatives by z that are kept of unit u, lane by lane, the rounds of a chunk one behind the other. */
@inline
export function keptGatesOf(layout: usize, u: usize): usize {
  return at.chunkEntries(layout) + ((u * at.chunkEventsMax(layout)) << 4);
}

/**
 * Copies v of a round, lane by lane.
 *
 * @param kept lanes that the chunk has before
 */
export function keepLanes(layout: usize, kept: usize, active: usize): void {
  const stride = elementBytes(layout);
  const bytes = at.viewBytes(layout);
  const lanes = lanesFor(active);
  let v = at.v(layout);
  for (let element: usize = 0; element < bytes; element += 16, v += stride << 2) {
    let to = at.chunkViews(layout) + kept * bytes + element;
    for (let lane: usize = 0; lane < lanes; lane += 4, to += bytes << 2) {
      const from = v + (lane << 2);
      storeFour(
        to,
        to + bytes,
        to + 2 * bytes,
        to + 3 * bytes,
        v128.load(from),
        v128.load(from + stride),
        v128.load(from + 2 * stride),
        v128.load(from + 3 * stride),
      );
    }
  }
}

/** z = rows · v of the `kept` lanes of a chunk: adds to the derivatives by the rows. */
export function addRowGradientsOfLanes(layout: usize, kept: usize): void {
  const units = at.units(layout);
  const bytes = at.viewBytes(layout);
  for (let m: usize = 0; m < bytes; m += 32) {
    let gradient = at.rowsGradient(layout) + (m << 2);
    for (let u: usize = 0; u < units; u++, gradient += bytes << 2) {
      const z = keptGatesOf(layout, u);
      addBlock(gradient, z, z + (kept << 4), at.chunkViews(layout) + m, bytes);
    }
  }
}

/** Eight elements of v against the four gates of one unit, summed over lanes in registers. */
function addBlock(gradient: usize, z: usize, end: usize, view: usize, bytes: usize): void {
  let ai = v128.load(gradient);
  let af = v128.load(gradient, 16);
  let ag = v128.load(gradient, 32);
  let ao = v128.load(gradient, 48);
  let bi = v128.load(gradient, 64);
  let bf = v128.load(gradient, 80);
  let bg = v128.load(gradient, 96);
  let bo = v128.load(gradient, 112);
  for (; z < end; z += 16, view += bytes) {
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
