import protobuf from "protobufjs";
import type { TimeUs } from "../sensors/time.ts";
import { type Bits64, timestampFromUs } from "./wire-time.ts";

const { utf8 } = protobuf.util;
const startBytes = 256;
/** Wire types. */
const varintType = 0;
const fixed64Type = 1;
const sizedType = 2;
/** A varint of a number below 2^53, and a tag. */
const numberBytes = 8 + 5;

/**
 * Writes the fields of a protobuf message one behind the other, to memory that is used again for
 * the next message: the same bytes as protobufjs, which makes an object of each number. As proto3
 * wants it, a field of the value 0 or of no text is left out.
 */
export class ProtoWriter {
  #bytes = new Uint8Array(startBytes);
  #length = 0;

  /** Bytes written since `reset`. */
  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** @param value from 0 to 2^53 − 1 */
  whole(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(numberBytes);
    this.#varint((field << 3) | varintType);
    this.#varint(value);
  }

  fixed64(field: number, { low, high }: Bits64): void {
    if (low === 0 && high === 0) return;
    this.#reserve(numberBytes);
    this.#varint((field << 3) | fixed64Type);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = low >>> shift;
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = high >>> shift;
  }

  text(field: number, text: string): void {
    const bytes = utf8.length(text);
    if (bytes === 0) return;
    this.size(field, bytes);
    this.#reserve(bytes);
    utf8.write(text, this.#bytes, this.#length);
    this.#length += bytes;
  }

  /** A google.protobuf.Timestamp. */
  timestamp(field: number, timeUs: TimeUs): void {
    const { seconds, nanos } = timestampFromUs(timeUs);
    this.size(field, 0);
    const from = this.#length;
    this.whole(1, seconds.high * 2 ** 32 + seconds.low);
    this.whole(2, nanos);
    // Two numbers are fewer than 128 bytes.
    this.#bytes[from - 1] = this.#length - from;
  }

  /** What comes before a field of `bytes` bytes that the caller writes. */
  size(field: number, bytes: number): void {
    this.#reserve(numberBytes);
    this.#varint((field << 3) | sizedType);
    this.#varint(bytes);
  }

  /** Copies what has been written to the beginning of `target`. */
  copyTo(target: Uint8Array): void {
    const bytes = this.#bytes;
    // Some dozens of bytes: to make a view of them would take longer.
    for (let i = 0; i < this.#length; i++) target[i] = bytes[i]!;
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    // There are no shifts beyond 32 bits.
    while (rest > 0x7fff_ffff) {
      bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[this.#length++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    bytes[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
