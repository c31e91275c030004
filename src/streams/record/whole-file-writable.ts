import type { FileHandle } from "node:fs/promises";

/**
 * Sequential writes to an open file. Unlike `FileHandleWritable` of @mcap/nodejs it goes on after a
 * short write, which would otherwise corrupt the file in silence, and counts only bytes written.
 */
export class WholeFileWritable {
  readonly #file: Pick<FileHandle, "write" | "writev">;
  #position = 0;

  constructor(file: Pick<FileHandle, "write" | "writev">) {
    this.#file = file;
  }

  /** Writes `pieces` one behind the other, in as few calls as the file takes. */
  async write(...pieces: readonly Uint8Array[]): Promise<void> {
    let rest = pieces.filter(({ byteLength }) => byteLength > 0);
    while (rest.length > 0) {
      const bytesWritten = await this.#writeSome(rest);
      this.#position += bytesWritten;
      rest = behind(rest, bytesWritten);
    }
  }

  async #writeSome(pieces: readonly Uint8Array[]): Promise<number> {
    const first = pieces[0]!;
    const { bytesWritten } =
      pieces.length === 1
        ? await this.#file.write(first, 0, first.byteLength, this.#position)
        : await this.#file.writev(pieces, this.#position);
    return bytesWritten;
  }

  position(): bigint {
    return BigInt(this.#position);
  }
}

/** What is left of `pieces` without the first `bytes`. */
function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skipped = bytes;
  return pieces.flatMap((piece) => {
    const skip = Math.min(skipped, piece.byteLength);
    skipped -= skip;
    return skip < piece.byteLength ? [piece.subarray(skip)] : [];
  });
}
