import { PolyphaseError } from "../../../polyphase-error.ts";
import type { CodecModule } from "../../wasm/codec-module.ts";

const magic = 0x184d2204;
const flagBlockChecksum = 0x10;
const flagContentSize = 0x08;
const flagDictionary = 0x01;
const blockIsRaw = 0x80000000;
const minMatchBytes = 4;
/** In a token's half: the length goes on in the bytes that follow. */
const longLength = 15;
/** A byte of a block stands for at most this many (a length of 255 more). */
const ratioMax = 255;
/** Below this, a loop is faster than `set` or `copyWithin`. */
const loopBytesMax = 128;
/** Copies go by words of four bytes and may write this much too far. */
const slackBytes = 4;

/**
 * Decompresses one LZ4 frame (lz4 "Frame Format Description" 1.6.4). Checksums are not verified.
 *
 * @param bytesMax limit of the decompressed size
 * @param module does most of it if the frame is small enough
 * @returns where a module did it, in its memory: valid until another frame is decompressed
 * @throws {PolyphaseError} BAD_DATA if it is no frame, is cut short or exceeds the limit
 */
export function decompressLz4Frame(
  frame: Uint8Array,
  bytesMax: number,
  module?: CodecModule,
): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const header = readHeader(view);
  const scratch =
    module !== undefined && frame.length <= module.lz4Input.length ? module : undefined;
  scratch?.lz4Input.set(frame);
  const input = scratch?.lz4Input ?? frame;
  const contentBytes = Math.min(header.contentBytes, ratioMax * frame.length, bytesMax);
  let output = scratch?.lz4Output ?? new Uint8Array(contentBytes + slackBytes);
  let length = 0;
  let at = header.bytes;
  for (;;) {
    if (at + 4 > frame.length) throw badFrame("block size");
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) return output.subarray(0, length);
    const end = at + (head & ~blockIsRaw);
    if (end > frame.length) throw badFrame("block");
    const blockBytes = Math.min(header.blockBytesMax, ratioMax * (end - at));
    const limit = Math.min(length + blockBytes, bytesMax);
    output = withRoom(output, length, limit, bytesMax);
    const block = input.subarray(at, end);
    length =
      head & blockIsRaw
        ? appendRaw(block, output, length, limit)
        : appendBlock(block, output, length, limit, scratch);
    at = end + header.blockChecksumBytes;
  }
}

/** How far a block has been read and the output written. */
interface BlockPosition {
  at: number;
  length: number;
}

function appendBlock(
  block: Uint8Array,
  output: Uint8Array,
  from: number,
  limit: number,
  scratch: CodecModule | undefined,
): number {
  const position = { at: 0, length: from };
  // An output that has outgrown the scratch memory lies elsewhere.
  if (output === scratch?.lz4Output) decompressFast(scratch, block, limit, position);
  return decompressBlock(block, output, limit, position);
}

/** The part of a block that is well inside it and the limit, in WebAssembly. */
function decompressFast(
  { exports, record, lz4Output }: CodecModule,
  block: Uint8Array,
  limit: number,
  position: BlockPosition,
): void {
  const start = lz4Output.byteOffset;
  record[recordAt] = block.byteOffset;
  record[recordOut] = start + position.length;
  exports.lz4(record.byteOffset, block.byteOffset + block.length, start, start + limit);
  position.at = record[recordAt]! - block.byteOffset;
  position.length = record[recordOut]! - start;
}

/** Fields of assembly/dvs/lz4.ts, by 4-byte word. */
const recordAt = 5;
const recordOut = 6;

interface FrameHeader {
  readonly bytes: number;
  /** As stated, or a guess. */
  readonly contentBytes: number;
  readonly blockChecksumBytes: number;
  /** Decompressed bytes of one block at most. */
  readonly blockBytesMax: number;
}

function readHeader(view: DataView): FrameHeader {
  if (view.byteLength < 15 || view.getUint32(0, true) !== magic) throw badFrame("magic");
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1 || flags & flagDictionary) throw badFrame("version or dictionary");
  const hasSize = (flags & flagContentSize) !== 0;
  return {
    bytes: hasSize ? 15 : 7,
    contentBytes: hasSize ? Number(view.getBigUint64(6, true)) : 4 * view.byteLength,
    blockChecksumBytes: flags & flagBlockChecksum ? 4 : 0,
    // Codes 4 … 7 stand for 64 KiB, 256 KiB, 1 MiB, 4 MiB.
    blockBytesMax: 2 ** (8 + 2 * ((view.getUint8(5) >> 4) & 7)),
  };
}

function badFrame(what: string): PolyphaseError {
  return new PolyphaseError("BAD_DATA", `Cannot decompress an LZ4 frame: bad ${what}`);
}

/** `output`, or a larger copy of it, with room for `needed` bytes as far as the limit allows. */
function withRoom(
  output: Uint8Array,
  length: number,
  needed: number,
  bytesMax: number,
): Uint8Array {
  const wanted = needed + slackBytes;
  if (wanted <= output.length) return output;
  const grown = new Uint8Array(
    Math.min(Math.max(wanted, 2 * output.length), bytesMax + slackBytes),
  );
  grown.set(output.subarray(0, length));
  return grown;
}

function appendRaw(block: Uint8Array, output: Uint8Array, from: number, limit: number): number {
  if (from + block.length > limit) throw badFrame("size: more than there may be");
  output.set(block, from);
  return from + block.length;
}

/**
 * One block: literals, then a match of bytes already in the output, over and over.
 *
 * @param limit of the length of the output; it must have room for `slackBytes` more
 * @param position where to begin
 * @returns the length of the output behind it
 */
function decompressBlock(
  block: Uint8Array,
  output: Uint8Array,
  limit: number,
  position: BlockPosition,
): number {
  const input = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const written = new DataView(output.buffer, output.byteOffset, output.byteLength);
  let { at, length } = position;
  while (at < block.length) {
    const token = block[at++]!;
    let literals = token >> 4;
    if (literals === longLength) {
      const next = lengthEnd(block, at);
      literals += lengthBetween(block, at, next);
      at = next;
    }
    if (at + literals > block.length || length + literals > limit) throw badFrame("literals");
    copyLiterals(input, at, literals, written, length);
    at += literals;
    length += literals;
    if (at === block.length) break;
    const offset = block[at]! | (block[at + 1]! << 8);
    at += 2;
    let matched = (token & longLength) + minMatchBytes;
    if ((token & longLength) === longLength) {
      const next = lengthEnd(block, at);
      matched += lengthBetween(block, at, next);
      at = next;
    }
    if (offset === 0 || offset > length || length + matched > limit) throw badFrame("match");
    copyMatch(output, written, offset, matched, length);
    length += matched;
  }
  return length;
}

/** Index behind a length that goes on while its bytes are 255. */
function lengthEnd(block: Uint8Array, from: number): number {
  let at = from;
  while (block[at] === 255) at++;
  if (at >= block.length) throw badFrame("length");
  return at + 1;
}

function lengthBetween(block: Uint8Array, from: number, to: number): number {
  return 255 * (to - from - 1) + block[to - 1]!;
}

function copyLiterals(
  input: DataView,
  from: number,
  count: number,
  output: DataView,
  to: number,
): void {
  const end = from + count;
  let at = from;
  let target = to;
  // Words may read too far as well, except at the end of the input.
  for (const wordsEnd = Math.min(end, input.byteLength - slackBytes); at < wordsEnd; at += 4) {
    output.setUint32(target, input.getUint32(at, true), true);
    target += 4;
  }
  for (; at < end; at++) output.setUint8(target++, input.getUint8(at));
}

/**
 * A match may overlap what it appends: then the bytes copied first are copied again. Words do that
 * right if the match lies at least one word back.
 */
function copyMatch(
  bytes: Uint8Array,
  output: DataView,
  offset: number,
  count: number,
  to: number,
): void {
  const from = to - offset;
  if (count > loopBytesMax && offset >= count) {
    bytes.copyWithin(to, from, from + count);
  } else if (offset >= 4) {
    for (let i = 0; i < count; i += 4) {
      output.setUint32(to + i, output.getUint32(from + i, true), true);
    }
  } else {
    for (let i = 0; i < count; i++) bytes[to + i] = bytes[from + i]!;
  }
}
