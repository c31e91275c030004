import * as at from "../layout";
import { sigmoid4, tanh4 } from "../units/sigmoid";
import { writeOpenness } from "./lane-openness";
import { cellsOf, elementBytes, gatesBytes, gatesOf, lanesFor, opennessOf } from "./lanes-of";

/**
 * Eqs. 1-5, 8 and 10 of all units of a round: gates in the place of their z.
 *
 * @returns units that are open and do not only leak
 */
export function forwardLanes(
  layout: usize,
  round: usize,
  active: usize,
  mode: i32,
  leak: f64,
): i32 {
  const stride = elementBytes(layout);
  const lanes = lanesFor(active);
  const gateBytes = at.units(layout) << 2;
  let z = gatesOf(layout, round);
  let cell = cellsOf(layout, round);
  let k = opennessOf(layout, round);
  let ci = at.peepholes(layout);
  let state: usize = 0;
  let open = 0;
  for (let u: usize = 0; u < at.units(layout); u++, ci += 4, state += stride) {
    open += writeOpenness(layout, k, u, active, mode, leak);
    writeCells(
      layout,
      z,
      cell,
      at.c(layout) + state,
      k,
      lanes,
      v128.load32_splat(ci),
      v128.load32_splat(ci + gateBytes),
      v128.load32_splat(ci + 2 * gateBytes),
    );
    writeOutputs(layout, z, cell, at.v(layout) + state, k, lanes);
    z += 64;
    cell += lanes * 12;
    k += lanes << 2;
  }
  return open;
}

/**
 * First half: all but o and h. Two loops, since each operation waits for the one before it, through
 * exponentials and divisions: a processor sees far enough ahead to do the halves of two or three fours
 * at once, but not two wholes.
 *
 * @param wi peepholes of the unit
 */
@inline
function writeCells(
  layout: usize,
  z: usize,
  cell: usize,
  c: usize,
  k: usize,
  lanes: usize,
  wi: v128,
  wf: v128,
  wo: v128,
): void {
  const toFour = gatesBytes(layout);
  for (const end = c + (lanes << 2); c < end; c += 16, k += 16, z += toFour, cell += 48) {
    const cOld = v128.load(c);
    const i = sigmoid4(f32x4.add(v128.load(z), f32x4.mul(wi, cOld)));
    const f = sigmoid4(f32x4.add(v128.load(z, 16), f32x4.mul(wf, cOld)));
    const g = tanh4(v128.load(z, 32));
    const cNew = f32x4.add(f32x4.mul(f, cOld), f32x4.mul(i, g));
    v128.store(z, i);
    v128.store(z, f, 16);
    v128.store(z, g, 32);
    // The gates are blind to the time gate: the peephole of o sees c~ (spec 1.3).
    v128.store(z, f32x4.add(v128.load(z, 48), f32x4.mul(wo, cNew)), 48);
    v128.store(cell, cOld);
    v128.store(cell, cNew, 32);
    const open = v128.load(k);
    const rest = f32x4.sub(f32x4.splat(1), open);
    v128.store(c, f32x4.add(f32x4.mul(open, cNew), f32x4.mul(rest, cOld)));
  }
}

/** Second half: o from its z, tanh(c~) in the place of c~, and h. */
@inline
function writeOutputs(
  layout: usize,
  z: usize,
  cell: usize,
  h: usize,
  k: usize,
  lanes: usize,
): void {
  const toFour = gatesBytes(layout);
  for (const end = h + (lanes << 2); h < end; h += 16, k += 16, z += toFour, cell += 48) {
    const o = sigmoid4(v128.load(z, 48));
    const tanhC = tanh4(v128.load(cell, 32));
    const hOld = v128.load(h);
    v128.store(z, o, 48);
    v128.store(cell, hOld, 16);
    v128.store(cell, tanhC, 32);
    const open = v128.load(k);
    const rest = f32x4.sub(f32x4.splat(1), open);
    v128.store(h, f32x4.add(f32x4.mul(f32x4.mul(open, o), tanhC), f32x4.mul(rest, hOld)));
  }
}
