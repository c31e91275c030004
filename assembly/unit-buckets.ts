/**
 * Buckets of numbers, each a list of chunks: the address of the end of the chunk before (0 if none),
 * then numbers. A bucket is the address behind its last number; 0 is an empty one. Adding touches
 * one word of a small table and writes one line without waiting for it; emptying reads whole lines.
 * A linked list of units would wait for memory once per unit.
 *
 * `wasm-wheel.ts` writes the first two fields.
 */
@unmanaged
export class UnitBuckets {
  /** u32 [bucket] */
  ends: usize;
  /** First of a row of chunks, at a multiple of their size; those from `fresh` on were never used. */
  chunks: usize;
  fresh: usize;
  /** A chunk given back, which holds the address of the next one; 0 if none. */
  free: usize;
}

/** A power of two: an address tells whether it is the end of a chunk. The same in `wasm-wheel.ts`. */
const CHUNK_BYTES: usize = 128;

@inline
export function addToBucket(buckets: UnitBuckets, bucket: usize, value: u32): void {
  const entry = buckets.ends + (bucket << 2);
  let end = <usize>load<u32>(entry);
  if ((end & (CHUNK_BYTES - 1)) == 0) {
    const chunk = takeChunk(buckets);
    store<u32>(chunk, <u32>end);
    end = chunk + 4;
  }
  store<u32>(end, value);
  store<u32>(entry, <u32>(end + 4));
}

function takeChunk(buckets: UnitBuckets): usize {
  const chunk = buckets.free;
  if (chunk) {
    buckets.free = <usize>load<u32>(chunk);
    return chunk;
  }
  buckets.fresh += CHUNK_BYTES;
  return buckets.fresh - CHUNK_BYTES;
}

/**
 * Moves all numbers of a bucket to `target`, which has room for 8 more than it will get.
 *
 * @returns behind the last
 */
export function emptyBucket(buckets: UnitBuckets, bucket: usize, target: usize): usize {
  const entry = buckets.ends + (bucket << 2);
  let end = <usize>load<u32>(entry);
  store<u32>(entry, 0);
  while (end) {
    const chunk = (end - 1) & ~(CHUNK_BYTES - 1);
    const shift = target - chunk - 4;
    for (let at = chunk + 4; at < end; at += 32) {
      v128.store(shift + at, v128.load(at));
      v128.store(shift + at, v128.load(at, 16), 16);
    }
    target = shift + end;
    end = <usize>load<u32>(chunk);
    store<u32>(chunk, <u32>buckets.free);
    buckets.free = chunk;
  }
  return target;
}

/** Forgets everything in the first `count` buckets, which are all. */
export function clearBuckets(buckets: UnitBuckets, count: usize): void {
  memory.fill(buckets.ends, 0, count << 2);
  buckets.fresh = buckets.chunks;
  buckets.free = 0;
}
