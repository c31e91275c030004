import { viewOf } from "./scan/log-record.ts";

const hashBits = 14;
/** A match is at least this long. */
const minMatchBytes = 4;
const offsetMax = 65_535;
/** The format wants the last match to begin this far from the end, and some literals behind it. */
const lastMatchBytes = 12;
const lastLiteralBytes = 5;
const blockBytesMax = 4 * 1024 * 1024;
const blockIsRaw = 0x80000000;
/**
 * Magic; version 1, independent blocks of at most 4 MiB, no sizes or checksums; the header's
 * checksum, which is the second byte of the xxHash-32 of the two before.
 */
const frameHeader = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73);

/**
 * Compresses to one LZ4 frame (lz4 "Frame Format Description" 1.6.4), greedily: about what the
 * reference does at its fastest setting.
 */
export function compressLz4(content: Uint8Array): Uint8Array {
  const blocks = Math.ceil(content.length / blockBytesMax);
  const output = new Uint8Array(frameHeader.length + content.length + 4 * blocks + 4);
  const view = viewOf(output);
  output.set(frameHeader);
  let at = frameHeader.length;
  for (let from = 0; from < content.length; from += blockBytesMax) {
    const block = content.subarray(from, from + blockBytesMax);
    const length = compressBlock(block, output.subarray(at + 4, at + 4 + block.length));
    if (length === 0) output.set(block, at + 4);
    view.setUint32(at, length === 0 ? (blockIsRaw | block.length) >>> 0 : length, true);
    at += 4 + (length === 0 ? block.length : length);
  }
  return output.subarray(0, at + 4);
}

/** @returns bytes written to `output`; 0 if the block does not fit, because it does not compress */
function compressBlock(content: Uint8Array, output: Uint8Array): number {
  const seen = new Int32Array(2 ** hashBits).fill(-1);
  const view = viewOf(content);
  const writer = new SequenceWriter(content, output);
  const lastMatchAt = content.length - lastMatchBytes;
  let literalsAt = 0;
  for (let at = 0; at < lastMatchAt; ) {
    const word = view.getUint32(at, true);
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - hashBits);
    const from = seen[hash]!;
    seen[hash] = at;
    if (from < 0 || at - from > offsetMax || view.getUint32(from, true) !== word) {
      // Where nothing repeats, ever larger steps: incompressible data costs little.
      at += 1 + ((at - literalsAt) >> 6);
      continue;
    }
    const limit = content.length - lastLiteralBytes;
    let length = minMatchBytes;
    while (at + length < limit && content[from + length] === content[at + length]) length++;
    writer.write(literalsAt, at, at - from, length);
    at += length;
    literalsAt = at;
  }
  writer.write(literalsAt, content.length, 0, 0);
  return writer.length;
}

/** Writes the sequences of a block: literals, then a match. */
class SequenceWriter {
  readonly #content: Uint8Array;
  readonly #output: Uint8Array;
  #at = 0;
  #overflows = false;

  constructor(content: Uint8Array, output: Uint8Array) {
    this.#content = content;
    this.#output = output;
  }

  /** Bytes written; 0 if they did not fit. */
  get length(): number {
    return this.#overflows ? 0 : this.#at;
  }

  /** @param length of the match, `offset` before; 0 for the last sequence, which has none */
  write(literalsFrom: number, literalsTo: number, offset: number, length: number): void {
    const literals = literalsTo - literalsFrom;
    const matched = Math.max(0, length - minMatchBytes);
    const most = 1 + literals + literals / 255 + 1 + 2 + matched / 255 + 1;
    if (this.#overflows || this.#at + most > this.#output.length) {
      this.#overflows = true;
      return;
    }
    this.#output[this.#at++] = (Math.min(literals, 15) << 4) | Math.min(matched, 15);
    this.#writeExtra(literals);
    this.#output.set(this.#content.subarray(literalsFrom, literalsTo), this.#at);
    this.#at += literals;
    if (length === 0) return;
    this.#output[this.#at++] = offset & 0xff;
    this.#output[this.#at++] = offset >> 8;
    this.#writeExtra(matched);
  }

  #writeExtra(length: number): void {
    if (length < 15) return;
    let rest = length - 15;
    for (; rest >= 255; rest -= 255) this.#output[this.#at++] = 255;
    this.#output[this.#at++] = rest;
  }
}
