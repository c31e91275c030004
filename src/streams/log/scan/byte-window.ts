import type { FileHandle } from "node:fs/promises";

const readAheadBytes = 1024 * 1024;

/** Reads an open file from front to back through one buffer; going back costs a read, no more. */
export class ByteWindow {
  readonly size: number;
  readonly #file: Pick<FileHandle, "read">;
  #bytes: Uint8Array = new Uint8Array(0);
  #offset = 0;

  /** @param size of the file in bytes */
  constructor(file: Pick<FileHandle, "read">, size: number) {
    this.#file = file;
    this.size = size;
  }

  /**
   * The bytes from `offset` on: `length` of them, fewer only where the file ends. A view of memory
   * that is never written again.
   */
  async view(offset: number, length: number): Promise<Uint8Array> {
    const left = Math.max(0, this.size - offset);
    const wanted = Math.min(length, left);
    const from = offset - this.#offset;
    if (from >= 0 && from + wanted <= this.#bytes.length) {
      return this.#bytes.subarray(from, from + wanted);
    }
    const bytes = new Uint8Array(Math.min(Math.max(wanted, readAheadBytes), left));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await this.#file.read(
        bytes,
        filled,
        bytes.length - filled,
        offset + filled,
      );
      // A file that shrinks while it is read has ended here.
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#bytes = bytes.subarray(0, filled);
    this.#offset = offset;
    return this.#bytes.subarray(0, Math.min(wanted, filled));
  }
}
