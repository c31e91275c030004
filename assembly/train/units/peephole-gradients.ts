import * as at from "../layout";

/** Adds the derivatives by the peepholes of unit u, from those by z of its sorted entries. */
export function addPeepholeGradients(layout: usize, u: usize, first: usize, last: usize): void {
  const toCells = at.cells(layout) - at.gates(layout);
  let sum = f32x4.splat(0);
  for (let entry = first; entry < last; entry += 8) {
    const z = load<u32>(entry);
    const cell = v128.load(z + toCells);
    // z of i and f saw the old c, that of o the new one; that of g saw none.
    const seen = v128.shuffle<f32>(cell, cell, 0, 0, 2, 2);
    sum = f32x4.add(sum, f32x4.mul(v128.load(z), seen));
  }
  const gradient = at.peepholesGradient(layout) + (u << 2);
  const gateBytes = at.units(layout) << 2;
  add(gradient, f32x4.extract_lane(sum, 0));
  add(gradient + gateBytes, f32x4.extract_lane(sum, 1));
  add(gradient + 2 * gateBytes, f32x4.extract_lane(sum, 3));
}

@inline
function add(target: usize, value: f32): void {
  store<f32>(target, load<f32>(target) + value);
}
