import { ByteMemory } from "../byte-memory.ts";
import { copyDvsColumns, type DvsColumns, dvsColumns, dvsEventBytes } from "./dvs-packet.ts";

/**
 * Memory for one packet after the other, for those who are done with a packet before the next. Who
 * makes the packets may as well give out its own, without a copy: a packet is valid until this
 * memory, or the decoder or filter that made it, is used again.
 */
export class PacketMemory {
  readonly #memory = new ByteMemory();

  /**
   * Copies columns of `count` events that lie one behind the other. The columns given out before
   * are overwritten.
   *
   * @param packed 13 · `count` bytes
   */
  store(packed: Uint8Array, count: number): DvsColumns {
    const bytes = this.#memory.take(packed.length);
    bytes.set(packed);
    return dvsColumns(bytes.buffer, count);
  }
}

/** The first `count` events of `columns` in memory of their own. */
export function copyColumns(columns: DvsColumns, count: number): DvsColumns {
  const copy = dvsColumns(new ArrayBuffer(count * dvsEventBytes), count);
  copyDvsColumns(columns, count, copy);
  return copy;
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
