/** Bytes per block: about a third of a second of MFCC vectors and small frames. */
const blockBytes = 64 * 1024;
/** What is larger deserves memory of its own. */
const partBytesMax = blockBytes / 8;

let block = new Uint8Array(blockBytes);
let used = 0;

/**
 * A copy of the little-endian float32 in `bytes`: a part of a larger block that nobody else is ever
 * given. An ArrayBuffer of its own costs V8 from 0.5 to 2 µs, more than all else that decoding
 * takes. The block lives as long as the last of its parts.
 */
export function copyFloats(bytes: Uint8Array): Float32Array {
  const at = place(bytes);
  if (at < 0) return new Float32Array(bytes.slice().buffer);
  return new Float32Array(block.buffer, at, bytes.length / 4);
}

/** A copy of `bytes`, as {@link copyFloats} makes one. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  const at = place(bytes);
  return at < 0 ? bytes.slice() : new Uint8Array(block.buffer, at, bytes.length);
}

/** Copies to a free part of the block, aligned for floats; −1 for too many bytes. */
function place(bytes: Uint8Array): number {
  const { length } = bytes;
  if (length > partBytesMax) return -1;
  if (used + length > blockBytes) {
    block = new Uint8Array(blockBytes);
    used = 0;
  }
  const at = used;
  block.set(bytes, at);
  used = Math.ceil((at + length) / 4) * 4;
  return at;
}
