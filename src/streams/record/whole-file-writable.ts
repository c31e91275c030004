import type { FileHandle } from "node:fs/promises";

/**
 * Sequential writes to an open file. Unlike `FileHandleWritable` of @mcap/nodejs it goes on after a
 * short write, which would otherwise corrupt the file in silence, and counts only bytes written.
 */
export class WholeFileWritable {
  readonly #file: Pick<FileHandle, "write">;
  #position = 0;

  constructor(file: Pick<FileHandle, "write">) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let from = 0;
    while (from < bytes.byteLength) {
      const length = bytes.byteLength - from;
      const { bytesWritten } = await this.#file.write(bytes, from, length, this.#position);
      from += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  position(): bigint {
    return BigInt(this.#position);
  }
}
