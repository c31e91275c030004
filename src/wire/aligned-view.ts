/**
 * `count` 16-bit numbers starting `offset` bytes into `bytes`: a view on the same memory where the
 * address is even, a copy where it is odd. Broker clients hand out slices at any address, and a
 * `Uint16Array` on an odd one throws.
 */
export function alignedUint16View(bytes: Uint8Array, offset: number, count: number): Uint16Array {
  const address = bytes.byteOffset + offset;
  if (address % 2 === 0) {
    return new Uint16Array(bytes.buffer, address, count);
  }
  const copy = new Uint16Array(count);
  // Not bytes.slice(): a Node Buffer's slice is another view on the same odd address.
  new Uint8Array(copy.buffer).set(bytes.subarray(offset, offset + 2 * count));
  return copy;
}
