import type { FileHandle } from "node:fs/promises";

/** Random access to an open file for `McapIndexedReader`; remembers where it last read. */
export class FileReadable {
  readonly #file: Pick<FileHandle, "read">;
  readonly #size: number;
  #lastOffset = 0;

  constructor(file: Pick<FileHandle, "read">, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** First byte of the last read: where to look when what was read makes no sense. */
  get lastOffset(): number {
    return this.#lastOffset;
  }

  async size(): Promise<bigint> {
    return BigInt(this.#size);
  }

  async read(offset: bigint, size: bigint): Promise<Uint8Array> {
    const start = Number(offset);
    const length = Number(size);
    this.#lastOffset = start;
    // Checked before memory is taken: a corrupt index may ask for exabytes.
    if (start + length > this.#size) {
      throw new RangeError(`${length} bytes from byte ${start} pass the end at ${this.#size}`);
    }
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#file.read(bytes, filled, length - filled, start + filled);
      if (bytesRead === 0) throw new RangeError(`the file ended at byte ${start + filled}`);
      filled += bytesRead;
    }
    return bytes;
  }
}
