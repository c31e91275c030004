/** Where a block's decompression stands. */
@unmanaged
export class Lz4Run {
  timeUs: usize;
  x: usize;
  y: usize;
  on: usize;
  ones: usize;
  /** Address of the next sequence. */
  at: usize;
  /** Address behind what has been written. */
  out: usize;
}

const MIN_MATCH_BYTES: usize = 4;
const LONG_LENGTH: usize = 15;
/** Copies go by 16 and by 32 bytes and may read and write this much too far. */
const SLACK_BYTES: usize = 32;

/** Address behind the bytes of 255, and the one that is less, of a length; 0 if it does not end. */
@inline
function lengthEnd(from: usize, end: usize): usize {
  let at = from;
  while (at < end && load<u8>(at) == 255) at++;
  return at < end ? at + 1 : 0;
}

@inline
function lengthBetween(from: usize, to: usize): usize {
  return 255 * (to - from - 1) + load<u8>(to - 1);
}

/** Mostly it is no more than 16 bytes; whether it is any cannot be predicted. */
@inline
function copyForward(to: usize, from: usize, bytes: usize): void {
  v128.store(to, v128.load(from));
  for (let i: usize = 16; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
}

/** A match may overlap what it appends: then the bytes copied first are copied again. */
@inline
function copyMatch(to: usize, offset: usize, bytes: usize): void {
  const from = to - offset;
  if (offset >= 16) {
    // A length that its token holds is at most 18: 32 bytes need no branch that depends on it.
    v128.store(to, v128.load(from));
    v128.store(to + 16, v128.load(from + 16));
    for (let i: usize = 32; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
  } else if (offset >= 8) {
    for (let i: usize = 0; i < bytes; i += 8) store<u64>(to + i, load<u64>(from + i));
  } else {
    for (let i: usize = 0; i < bytes; i++) store<u8>(to + i, load<u8>(from + i));
  }
}

/**
 * Sequences of an LZ4 block, see src/sensors/dvs/codecs/inivation/lz4-frame.ts, that lie well
 * inside the block and the room for what it holds; stops before the first that does not, or that
 * refers to bytes before `start`.
 *
 * @param end address behind the block
 * @param start address of the first byte a match may refer to
 * @param outEnd address behind the room
 */
export function lz4(run: Lz4Run, end: usize, start: usize, outEnd: usize): void {
  let at = run.at;
  let out = run.out;
  while (at < end) {
    const token = <usize>load<u8>(at);
    let next = at + 1;
    let literals = token >> 4;
    if (literals == LONG_LENGTH) {
      const from = next;
      next = lengthEnd(from, end);
      if (next == 0) break;
      literals += lengthBetween(from, next);
    }
    if (next + literals + SLACK_BYTES > end || out + literals + SLACK_BYTES > outEnd) break;
    const match = out + literals;
    const offset = <usize>load<u16>(next + literals);
    const behind = next + literals + 2;
    let matched = (token & LONG_LENGTH) + MIN_MATCH_BYTES;
    let after = behind;
    if ((token & LONG_LENGTH) == LONG_LENGTH) {
      after = lengthEnd(behind, end);
      if (after == 0) break;
      matched += lengthBetween(behind, after);
    }
    if (offset == 0 || offset > match - start) break;
    if (match + matched + SLACK_BYTES > outEnd) break;
    copyForward(out, next, literals);
    copyMatch(match, offset, matched);
    at = after;
    out = match + matched;
  }
  run.at = at;
  run.out = out;
}
