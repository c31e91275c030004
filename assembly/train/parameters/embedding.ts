import { addFloats, copyFloats } from "../floats";

/**
 * Writes the inputs of `events` events: the vector of each one's address, and behind it its polarity
 * as ±1. The twin of src/train/network/address-embedding.ts.
 *
 * @param x [N, D + 1]
 * @param table [height · width, D]
 */
export function embedEvents(
  x: usize,
  table: usize,
  address: usize,
  on: usize,
  events: usize,
  dimensions: usize,
): void {
  const bytes = dimensions << 2;
  for (let n: usize = 0; n < events; n++, x += bytes + 4) {
    copyFloats(x, table + load<u32>(address + (n << 2)) * bytes, dimensions);
    store<f32>(x + bytes, load<u8>(on + n) == 1 ? 1 : -1);
  }
}

/** Adds the derivatives by the table, from those by the inputs [N, D + 1]. */
export function addEmbeddingGradients(
  gradient: usize,
  xGradient: usize,
  address: usize,
  events: usize,
  dimensions: usize,
): void {
  const bytes = dimensions << 2;
  for (let n: usize = 0; n < events; n++, xGradient += bytes + 4) {
    addFloats(gradient + load<u32>(address + (n << 2)) * bytes, xGradient, dimensions);
  }
}
