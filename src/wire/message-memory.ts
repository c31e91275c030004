/**
 * Memory for one encoded message after the other, for those who copy each before they encode the
 * next. Memory of their own for messages of some kB costs the collector more than encoding them.
 */
export class MessageMemory {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** `length` bytes, valid until the next call; what they hold is not said. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(2 * length);
    return this.#bytes.subarray(0, length);
  }
}
