import type { FileHandle } from "node:fs/promises";
import { ByteWindow } from "../log/scan/byte-window.ts";

/**
 * Random access to an open file for `McapIndexedReader`, with reading ahead: a read per chunk of a
 * file costs more than decoding the chunk. Remembers where it last read.
 */
export class FileReadable {
  readonly #window: ByteWindow;
  #lastOffset = 0;

  constructor(file: Pick<FileHandle, "read">, size: number) {
    this.#window = new ByteWindow(file, size);
  }

  /** First byte of the last read: where to look when what was read makes no sense. */
  get lastOffset(): number {
    return this.#lastOffset;
  }

  async size(): Promise<bigint> {
    return BigInt(this.#window.size);
  }

  /** A view of memory that is never written again. */
  async read(offset: bigint, size: bigint): Promise<Uint8Array> {
    const start = Number(offset);
    const length = Number(size);
    this.#lastOffset = start;
    // Checked before memory is taken: a corrupt index may ask for exabytes.
    if (start + length > this.#window.size) {
      throw new RangeError(
        `${length} bytes from byte ${start} pass the end at ${this.#window.size}`,
      );
    }
    const bytes = await this.#window.view(start, length);
    if (bytes.length < length) {
      throw new RangeError(`the file ended at byte ${start + bytes.length}`);
    }
    return bytes;
  }
}
