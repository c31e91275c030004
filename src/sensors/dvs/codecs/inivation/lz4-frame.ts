import { PolyphaseError } from "../../../polyphase-error.ts";

const magic = 0x184d2204;
const flagBlockChecksum = 0x10;
const flagContentSize = 0x08;
const flagDictionary = 0x01;
const blockIsRaw = 0x80000000;
const minMatchBytes = 4;
/** Below this, a byte loop is faster than `copyWithin`. */
const loopBytesMax = 32;

/** Output under construction. */
interface Output {
  bytes: Uint8Array;
  length: number;
  readonly bytesMax: number;
}

/**
 * Decompresses one LZ4 frame (lz4 "Frame Format Description" 1.6.4). Checksums are not verified.
 *
 * @param bytesMax limit of the decompressed size
 * @throws {PolyphaseError} BAD_DATA if it is no frame, is cut short or exceeds the limit
 */
export function decompressLz4Frame(frame: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const header = readHeader(view);
  const output: Output = {
    bytes: new Uint8Array(Math.min(header.contentBytes, bytesMax)),
    length: 0,
    bytesMax,
  };
  let at = header.bytes;
  for (;;) {
    if (at + 4 > frame.length) throw badFrame("block size");
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) return output.bytes.subarray(0, output.length);
    const end = at + (head & ~blockIsRaw);
    if (end > frame.length) throw badFrame("block");
    if (head & blockIsRaw) appendRaw(frame, at, end, output);
    else decompressBlock(frame, at, end, output);
    at = end + header.blockChecksumBytes;
  }
}

interface FrameHeader {
  readonly bytes: number;
  /** As stated, or a guess. */
  readonly contentBytes: number;
  readonly blockChecksumBytes: number;
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
  };
}

function badFrame(what: string): PolyphaseError {
  return new PolyphaseError("BAD_DATA", `Cannot decompress an LZ4 frame: bad ${what}`);
}

function reserve(output: Output, count: number): void {
  const needed = output.length + count;
  if (needed <= output.bytes.length) return;
  if (needed > output.bytesMax) throw badFrame(`size: more than ${output.bytesMax} bytes`);
  const grown = new Uint8Array(
    Math.min(Math.max(needed, 2 * output.bytes.length), output.bytesMax),
  );
  grown.set(output.bytes.subarray(0, output.length));
  output.bytes = grown;
}

function appendRaw(input: Uint8Array, from: number, to: number, output: Output): void {
  reserve(output, to - from);
  output.bytes.set(input.subarray(from, to), output.length);
  output.length += to - from;
}

/** One block: literals, then a match of bytes already in the output, over and over. */
function decompressBlock(input: Uint8Array, from: number, to: number, output: Output): void {
  let at = from;
  while (at < to) {
    const token = input[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      const next = lengthEnd(input, at, to);
      literals += lengthBetween(input, at, next);
      at = next;
    }
    if (at + literals > to) throw badFrame("literals");
    appendLiterals(input, at, literals, output);
    at += literals;
    if (at === to) return;
    if (at + 2 > to) throw badFrame("offset");
    const offset = input[at]! | (input[at + 1]! << 8);
    at += 2;
    let matched = (token & 15) + minMatchBytes;
    if ((token & 15) === 15) {
      const next = lengthEnd(input, at, to);
      matched += lengthBetween(input, at, next);
      at = next;
    }
    if (offset === 0 || offset > output.length) throw badFrame("offset");
    appendMatch(offset, matched, output);
  }
}

/** Index behind a length that goes on while its bytes are 255. */
function lengthEnd(input: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && input[at] === 255) at++;
  if (at === to) throw badFrame("length");
  return at + 1;
}

function lengthBetween(input: Uint8Array, from: number, to: number): number {
  return 255 * (to - from - 1) + input[to - 1]!;
}

function appendLiterals(input: Uint8Array, from: number, count: number, output: Output): void {
  reserve(output, count);
  const { bytes, length } = output;
  if (count > loopBytesMax) bytes.set(input.subarray(from, from + count), length);
  else for (let i = 0; i < count; i++) bytes[length + i] = input[from + i]!;
  output.length = length + count;
}

function appendMatch(offset: number, count: number, output: Output): void {
  reserve(output, count);
  const { bytes, length } = output;
  const from = length - offset;
  // A match may overlap what it appends, so it is copied byte by byte, or as a whole if it does not.
  if (count > loopBytesMax && offset >= count) bytes.copyWithin(length, from, from + count);
  else for (let i = 0; i < count; i++) bytes[length + i] = bytes[from + i]!;
  output.length = length + count;
}
