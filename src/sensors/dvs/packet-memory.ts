import { type DvsColumns, dvsColumns, dvsEventBytes } from "./dvs-packet.ts";

/**
 * Memory for one packet after the other, for those who are done with a packet before they ask for
 * the next. Every packet in memory of its own costs more than half of what decoding it does: the
 * system clears it, and the collector has to be told of it.
 */
export class PacketMemory {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /**
   * Copies columns of `count` events that lie one behind the other. The columns given out before
   * are overwritten.
   *
   * @param packed 13 · `count` bytes
   */
  store(packed: Uint8Array, count: number): DvsColumns {
    if (packed.length > this.#bytes.length) this.#bytes = new Uint8Array(packed.length);
    this.#bytes.set(packed);
    return dvsColumns(this.#bytes.buffer, count);
  }
}

/** Columns of `count` events from byte `from` of `buffer` on, in `memory` or in memory of their own. */
export function copyPackedColumns(
  buffer: ArrayBuffer,
  from: number,
  count: number,
  memory: PacketMemory | undefined,
): DvsColumns {
  const bytes = count * dvsEventBytes;
  return memory === undefined
    ? // Memory that is all overwritten need not be cleared before, as that of a new array is.
      dvsColumns(buffer.slice(from, from + bytes), count)
    : memory.store(new Uint8Array(buffer, from, bytes), count);
}
