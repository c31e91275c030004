/** Numbers per block: 16 KiB, about a second of MFCC vectors. */
const blockLength = 4096;

let block = new Float32Array(blockLength);
let used = 0;

/**
 * `length` numbers that the caller owns: a part of a larger block that nobody else is ever given. An
 * ArrayBuffer of its own costs V8 some 2 µs, more than all else that decoding a feature vector takes.
 * The block lives as long as the last of its parts.
 */
export function allocateFloats(length: number): Float32Array {
  if (length > blockLength / 4) return new Float32Array(length);
  if (used + length > blockLength) {
    block = new Float32Array(blockLength);
    used = 0;
  }
  const part = block.subarray(used, used + length);
  used += length;
  return part;
}
