/**
 * Memory for one run of bytes after the other, for those who are done with each before the next is
 * made. Memory of its own for each, from some kB on, costs more than what is done with it: the
 * system clears it, and the collector has to be told of it.
 */
export class ByteMemory {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** `length` bytes, valid until the next call; they hold anything. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
    }
    return this.#bytes.subarray(0, length);
  }
}
