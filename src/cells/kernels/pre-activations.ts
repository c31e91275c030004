import type { PackedLayer } from "./packed-layer.ts";

const { fround } = Math;

/**
 * z = b + [h | x] · [U; W] of the units listed, four slots each, into `z` [unit][slot].
 *
 * Every partial sum is rounded to float32 in the order of a 4-lane SIMD loop that takes 8 columns
 * at a time: products of two columns 4 apart are added first, then joined to their lane; at the
 * end (lane 0 + lane 2) + (lane 1 + lane 3), then the bias.
 */
export function preActivations(
  layer: PackedLayer,
  v: Float32Array,
  units: Int32Array,
  count: number,
  z: Float32Array,
): void {
  for (let i = 0; i < count; i++) {
    const unit = units[i]!;
    for (let slot = 0; slot < 4; slot++) {
      z[unit * 4 + slot] = fround(dotSlot(layer, v, unit, slot) + layer.bias[unit * 4 + slot]!);
    }
  }
}

/** One slot at a time: four lanes fit in registers, sixteen would not. */
function dotSlot(layer: PackedLayer, v: Float32Array, unit: number, slot: number): number {
  const { blocks: w, columns } = layer;
  let at = unit * 4 * columns + slot * 4;
  let lane0 = 0;
  let lane1 = 0;
  let lane2 = 0;
  let lane3 = 0;
  for (let k = 0; k < columns; k += 8, at += 32) {
    lane0 = fround(lane0 + fround(fround(w[at]! * v[k]!) + fround(w[at + 16]! * v[k + 4]!)));
    lane1 = fround(
      lane1 + fround(fround(w[at + 1]! * v[k + 1]!) + fround(w[at + 17]! * v[k + 5]!)),
    );
    lane2 = fround(
      lane2 + fround(fround(w[at + 2]! * v[k + 2]!) + fround(w[at + 18]! * v[k + 6]!)),
    );
    lane3 = fround(
      lane3 + fround(fround(w[at + 3]! * v[k + 3]!) + fround(w[at + 19]! * v[k + 7]!)),
    );
  }
  return fround(fround(lane0 + lane2) + fround(lane1 + lane3));
}
