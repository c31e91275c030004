/** Bytes under construction. Encoders reserve room, write into `view` at `length`, and move it on. */
export class ByteWriter {
  length = 0;
  #memory = new Uint8Array(4096);
  #view = new DataView(this.#memory.buffer);

  /** Room for what has been reserved; valid until the next `reserve`. */
  get view(): DataView {
    return this.#view;
  }

  /** Makes room for `count` more bytes behind `length`. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#memory.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#memory.length));
    grown.set(this.#memory.subarray(0, this.length));
    this.#memory = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** A copy of what has been written; the writer is empty again. */
  take(): Uint8Array {
    const bytes = this.#memory.slice(0, this.length);
    this.length = 0;
    return bytes;
  }
}
