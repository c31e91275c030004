/**
 * Bytes that were pushed and not yet decoded, in one piece of own memory, so that a caller may
 * reuse its read buffer and a record may straddle two reads.
 */
export class ByteQueue {
  #memory: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#memory.buffer);
  #start = 0;
  #end = 0;
  #consumed = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Offset of the first waiting byte from the beginning of the input. */
  get position(): number {
    return this.#consumed;
  }

  /** Index of the first waiting byte in `view` and `bytes`. */
  get start(): number {
    return this.#start;
  }

  /** Index behind the last waiting byte in `view` and `bytes`. */
  get end(): number {
    return this.#end;
  }

  /** The memory behind `start` and `end`, valid until the next `push`. */
  get view(): DataView {
    return this.#view;
  }

  /** The same memory as bytes, valid until the next `push`. */
  get bytes(): Uint8Array {
    return this.#memory;
  }

  /** Copies `bytes` behind those that wait. */
  push(bytes: Uint8Array): void {
    const waiting = this.length;
    const needed = waiting + bytes.length;
    if (needed > this.#memory.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#memory.length));
      grown.set(this.#memory.subarray(this.#start, this.#end));
      this.#memory = grown;
      this.#view = new DataView(grown.buffer);
    } else {
      this.#memory.copyWithin(0, this.#start, this.#end);
    }
    this.#memory.set(bytes, waiting);
    this.#start = 0;
    this.#end = needed;
  }

  /** Drops the first `count` waiting bytes. */
  consume(count: number): void {
    if (count < 0 || count > this.length) {
      throw new RangeError(`Cannot consume bytes: count must be 0 … ${this.length}, got ${count}`);
    }
    this.#start += count;
    this.#consumed += count;
  }

  /** Moves on to index `index` of `view`: everything before it has been decoded. */
  consumeTo(index: number): void {
    this.consume(index - this.#start);
  }
}
