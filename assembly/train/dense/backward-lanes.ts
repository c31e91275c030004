import * as at from "../layout";
import { storeFour } from "../units/lanes";
import { ofSigmoid, ofTanh } from "../units/sigmoid";
import { addGateGradientsOfLanes } from "./lane-openness";
import { keptGatesOf } from "./lane-row-gradients";
import { cellsOf, elementBytes, gatesBytes, gatesOf, lanesFor, opennessOf } from "./lanes-of";

/**
 * Derivatives by what Eqs. 1-10 of all units of a round read, all but rows; those by z take the place of
 * the gates, and h becomes what it was before the step.
 *
 * @param kept lanes that the chunk has before
 */
export function backwardLanes(
  layout: usize,
  round: usize,
  active: usize,
  kept: usize,
  oscillates: bool,
  leak: f64,
): void {
  const stride = elementBytes(layout);
  const lanes = lanesFor(active);
  let z = gatesOf(layout, round);
  let cell = cellsOf(layout, round);
  let k = opennessOf(layout, round);
  let h = at.v(layout);
  for (let u: usize = 0; u < at.units(layout); u++, h += stride) {
    backwardUnit(layout, u, lanes, z, cell, k, h, keptGatesOf(layout, u) + (kept << 4));
    if (oscillates) addGateGradientsOfLanes(layout, u, active, leak);
    z += 64;
    cell += lanes * 12;
    k += lanes << 2;
  }
}

/**
 * One unit in all lanes; writes the derivatives by its k.
 *
 * @param z its gates in the first four lanes, and `cell` its old c, old h and tanh(c~)
 * @param h of it; the derivatives by h and c lie as far behind as those of all
 * @param byZ where to keep the derivatives by z, lane by lane
 */
@inline
function backwardUnit(
  layout: usize,
  u: usize,
  lanes: usize,
  z: usize,
  cell: usize,
  kAt: usize,
  h: usize,
  byZ: usize,
): void {
  const toDh = at.vGradient(layout) - at.v(layout);
  const toDc = at.cGradient(layout) - at.v(layout);
  const gateBytes = at.units(layout) << 2;
  const ci = at.peepholes(layout) + (u << 2);
  const wi = v128.load32_splat(ci);
  const wf = v128.load32_splat(ci + gateBytes);
  const wo = v128.load32_splat(ci + 2 * gateBytes);
  let byWi = f32x4.splat(0);
  let byWf = f32x4.splat(0);
  let byWo = f32x4.splat(0);
  let byK = at.kGradient(layout);
  const toFour = gatesBytes(layout);
  for (const end = h + (lanes << 2); h < end; h += 16, kAt += 16, byK += 16) {
    const k = v128.load(kAt);
    const rest = f32x4.sub(f32x4.splat(1), k);
    const dh = v128.load(h + toDh);
    const dc = v128.load(h + toDc);
    const i = v128.load(z);
    const f = v128.load(z, 16);
    const g = v128.load(z, 32);
    const o = v128.load(z, 48);
    const cOld = v128.load(cell);
    const hOld = v128.load(cell, 16);
    const tanhC = v128.load(cell, 32);
    const cNew = f32x4.add(f32x4.mul(f, cOld), f32x4.mul(i, g));
    const byO = f32x4.mul(dh, f32x4.sub(f32x4.mul(o, tanhC), hOld));
    v128.store(byK, f32x4.add(byO, f32x4.mul(dc, f32x4.sub(cNew, cOld))));
    v128.store(h, hOld);
    v128.store(h + toDh, f32x4.mul(rest, dh));
    const kh = f32x4.mul(k, dh);
    const zo = f32x4.mul(f32x4.mul(kh, tanhC), ofSigmoid(o));
    const byTanh = f32x4.mul(f32x4.mul(kh, o), ofTanh(tanhC));
    const byCell = f32x4.add(f32x4.add(f32x4.mul(k, dc), byTanh), f32x4.mul(zo, wo));
    const zi = f32x4.mul(f32x4.mul(byCell, g), ofSigmoid(i));
    const zf = f32x4.mul(f32x4.mul(byCell, cOld), ofSigmoid(f));
    v128.store(z, zi);
    v128.store(z, zf, 16);
    const zg = f32x4.mul(f32x4.mul(byCell, i), ofTanh(g));
    v128.store(z, zg, 32);
    v128.store(z, zo, 48);
    storeFour(byZ, byZ + 16, byZ + 32, byZ + 48, zi, zf, zg, zo);
    const held = f32x4.add(f32x4.mul(rest, dc), f32x4.mul(byCell, f));
    const before = f32x4.add(f32x4.add(held, f32x4.mul(zi, wi)), f32x4.mul(zf, wf));
    v128.store(h + toDc, before);
    byWi = f32x4.add(byWi, f32x4.mul(zi, cOld));
    byWf = f32x4.add(byWf, f32x4.mul(zf, cOld));
    byWo = f32x4.add(byWo, f32x4.mul(zo, cNew));
    z += toFour;
    byZ += 64;
    cell += 48;
  }
  const gradient = at.peepholesGradient(layout) + (u << 2);
  addSum(gradient, byWi);
  addSum(gradient + gateBytes, byWf);
  addSum(gradient + 2 * gateBytes, byWo);
}

@inline
function addSum(target: usize, lanes: v128): void {
  const pair = f32x4.add(lanes, v128.shuffle<f32>(lanes, lanes, 2, 3, 0, 1));
  const sum = f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
  store<f32>(target, load<f32>(target) + sum);
}
