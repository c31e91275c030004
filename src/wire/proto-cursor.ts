import type { TimeUs } from "../sensors/time.ts";

/** Varints are read up to here: seven groups of seven bits. */
const varintMax = 2 ** 49;

/**
 * Reads a protobuf message field by field, in the layout that encoders write. What is unusual and
 * what is damaged sets `isOdd`: then protobufjs must read the message, which knows all that may be.
 */
export class ProtoCursor {
  /** True as soon as something was read that is not to be believed. */
  isOdd = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length && !this.isOdd;
  }

  /** A tag, a length, or a number that is not negative. */
  varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let scale = 1; scale < varintMax && this.#at < bytes.length; scale *= 128) {
      const byte = bytes[this.#at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    this.isOdd = true;
    return 0;
  }

  fixed32(): number {
    const bytes = this.#bytes;
    const at = this.#skip(4);
    if (this.isOdd) return 0;
    const low = bytes[at]! + bytes[at + 1]! * 2 ** 8 + bytes[at + 2]! * 2 ** 16;
    return low + bytes[at + 3]! * 2 ** 24;
  }

  /** A fixed64 of nanoseconds that must be whole microseconds. */
  fixed64Us(): TimeUs {
    const low = this.fixed32();
    const high = this.fixed32();
    const highRest = high % 1000;
    const rest = highRest * 2 ** 32 + low;
    // Exact: the nanoseconds themselves may exceed 2^53.
    return this.#timeUs(((high - highRest) / 1000) * 2 ** 32, rest);
  }

  /** An embedded google.protobuf.Timestamp that must be whole microseconds. */
  timestampUs(): TimeUs {
    const length = this.varint();
    const end = this.#at + length;
    let seconds = 0;
    let nanos = 0;
    while (this.#at < end && !this.isOdd) {
      const tag = this.varint();
      if (tag === 8) seconds = this.varint();
      else if (tag === 16) nanos = this.varint();
      else this.isOdd = true;
    }
    if (this.#at !== end || nanos > 999_999_999) this.isOdd = true;
    return this.#timeUs(seconds * 1e6, nanos);
  }

  /** A view of the bytes of a field that begins with their number. */
  sized(): Uint8Array {
    const at = this.#skip(this.varint());
    return this.#bytes.subarray(at, this.#at);
  }

  /** Steps over text that must be ASCII, which is valid UTF-8. */
  skipText(): void {
    const bytes = this.#bytes;
    const at = this.#skip(this.varint());
    const end = Math.min(this.#at, bytes.length);
    for (let i = at; i < end; i++) {
      if (bytes[i]! > 127) this.isOdd = true;
    }
  }

  /** Text that must be `usual`, so that no other string has to be made. */
  usualText(usual: string): string {
    const bytes = this.#bytes;
    const at = this.#skip(this.varint());
    if (this.#at - at !== usual.length) this.isOdd = true;
    for (let i = 0; i < usual.length && !this.isOdd; i++) {
      const code = usual.charCodeAt(i);
      if (bytes[at + i] !== code || code > 127) this.isOdd = true;
    }
    return usual;
  }

  #timeUs(wholeUs: number, nanoseconds: number): TimeUs {
    const timeUs = wholeUs + nanoseconds / 1000;
    if (nanoseconds % 1000 !== 0 || !Number.isSafeInteger(timeUs)) this.isOdd = true;
    return timeUs;
  }

  /** Returns where the skipped bytes begin. */
  #skip(length: number): number {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) this.isOdd = true;
    return from;
  }
}
