/** Copies the events listed to the columns `toTimeUs` … `toOn`, one behind the other. */
@inline
export function copyListed(
  timeUs: usize, x: usize, y: usize, on: usize, indices: usize, count: usize,
  toTimeUs: usize, toX: usize, toY: usize, toOn: usize,
): void {
  for (let k: usize = 0; k < count; k++) {
    const i = <usize>load<u32>(indices + (k << 2));
    store<f64>(toTimeUs + (k << 3), load<f64>(timeUs + (i << 3)));
    store<u16>(toX + (k << 1), load<u16>(x + (i << 1)));
    store<u16>(toY + (k << 1), load<u16>(y + (i << 1)));
    store<u8>(toOn + k, load<u8>(on + i));
  }
}

/**
 * Copies the events listed into the columns of a packet of that many, one behind the other.
 *
 * @param timeUs column to take from, like `x`, `y` and `on`
 * @param indices u32 [count]
 */
export function gather(
  timeUs: usize, x: usize, y: usize, on: usize, indices: usize, packet: usize, count: usize,
): void {
  copyListed(
    timeUs, x, y, on, indices, count,
    packet, packet + (count << 3), packet + count * 10, packet + count * 12,
  );
}
