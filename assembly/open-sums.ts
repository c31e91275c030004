import { AddressLayer, KEPT_MAX } from "./address-layer";
import { clearPadding } from "./kernel";
import { preActivations } from "./pre-activations";

/**
 * The pre-activations of an address layer: z = (S + row) + Σ_k U_k h_k over the open units k,
 * ascending, one after the other. S is the sum of preActivations() over all units with the h of the
 * open ones taken as 0: nothing decides on its bits but which units are open and the h of the closed
 * ones, which stay what they are while the same units are open. kept-units.ts makes use of that. (It adds
 * a bias of 0 first. Where that gives a zero another sign, e^0 is still 1.)
 *
 * Layers that are always open, GRUs, and events with more than KEPT_MAX open units have
 * z = preActivations() + row.
 */

/** True if so many open units are summed apart from the closed ones. */
@inline
export function areApart(a: AddressLayer, count: u32): bool {
  return a.columns != 0 && count <= KEPT_MAX;
}

/** Notes the h of the open units in `h`, and makes them 0 in the state. */
@inline
export function takeOpen(a: AddressLayer, state: usize, count: u32): void {
  const listed = a.layer.openUnits;
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    const h = state + (<usize>load<u32>(listed + i) << 2);
    store<f32>(a.h + i, load<f32>(h));
    store<f32>(h, 0);
  }
}

@inline
function giveBack(a: AddressLayer, state: usize, count: u32): void {
  const listed = a.layer.openUnits;
  for (let i: usize = 0; i < <usize>count << 2; i += 4) {
    store<f32>(state + (<usize>load<u32>(listed + i) << 2), load<f32>(a.h + i));
  }
}

/** Makes the rows at `address` of the units listed their biases. */
@inline
function setBiases(a: AddressLayer, units: usize, length: u32, address: u32): void {
  const bias = a.layer.bias;
  const table = a.table + (<usize>address << 4);
  const rowBytes = <usize>a.addresses << 4;
  for (let i: usize = 0; i < <usize>length << 2; i += 4) {
    const unit = <usize>load<u32>(units + i);
    v128.store(bias + (unit << 4), v128.load(table + unit * rowBytes));
  }
}

/**
 * Writes the pre-activations of the units listed to z.
 *
 * @param units completed to whole groups of 4
 * @param count number of open units, at least 1
 */
export function sumUnits(
  a: AddressLayer, state: usize, units: usize, length: u32, count: u32, address: u32,
): void {
  const layer = a.layer;
  clearPadding(layer, state);
  // First of all: a row comes late from the memory.
  setBiases(a, units, length, address);
  if (!areApart(a, count)) {
    preActivations(layer, state, units, length);
    return;
  }
  takeOpen(a, state, count);
  preActivations(layer, state, units, length);
  giveBack(a, state, count);
  addOpen(a, units, length, count);
}

/** Adds to the sums of the units listed what the open units give them, four at a time. */
@inline
function addOpen(a: AddressLayer, units: usize, length: u32, count: u32): void {
  const unitBytes = <usize>a.layer.units << 4;
  const columns = a.columns;
  const openUnits = a.layer.openUnits;
  const endOfOpen = openUnits + (<usize>count << 2);
  const openH = a.h;
  const end = units + (<usize>length << 2);
  let z = a.layer.z;
  do {
    const w0 = columns + <usize>load<u32>(units) * unitBytes;
    const w1 = columns + <usize>load<u32>(units, 4) * unitBytes;
    const w2 = columns + <usize>load<u32>(units, 8) * unitBytes;
    const w3 = columns + <usize>load<u32>(units, 12) * unitBytes;
    let z0 = v128.load(z);
    let z1 = v128.load(z, 16);
    let z2 = v128.load(z, 32);
    let z3 = v128.load(z, 48);
    let open = openUnits;
    let at = openH;
    do {
      const column = <usize>load<u32>(open) << 4;
      const h = v128.load32_splat(at);
      z0 = f32x4.add(z0, f32x4.mul(v128.load(w0 + column), h));
      z1 = f32x4.add(z1, f32x4.mul(v128.load(w1 + column), h));
      z2 = f32x4.add(z2, f32x4.mul(v128.load(w2 + column), h));
      z3 = f32x4.add(z3, f32x4.mul(v128.load(w3 + column), h));
      open += 4;
      at += 4;
    } while (open < endOfOpen);
    v128.store(z, z0);
    v128.store(z, z1, 16);
    v128.store(z, z2, 32);
    v128.store(z, z3, 48);
    z += 64;
    units += 16;
  } while (units < end);
}
