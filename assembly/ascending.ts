/** Up to so many, comparing each with each is quicker than a bit per unit of the layer. */
const RANKED_MAX: u32 = 48;

/**
 * Writes `count` different units in ascending order.
 *
 * @param units room for 3 more
 * @param target room for all
 * @param words u64 per 64 units of the layer, all zero before and after
 * @param wordCount how many
 */
export function listAscending(
  units: usize, count: u32, target: usize, words: usize, wordCount: u32,
): void {
  if (count <= RANKED_MAX) rank(units, count, target);
  else walkBits(units, count, target, words, wordCount);
}

/** The place of a unit is the number of smaller ones: no branch depends on the order. */
function rank(units: usize, count: u32, target: usize): void {
  const end = units + (<usize>count << 2);
  v128.store(end, i32x4.splat(i32.MAX_VALUE));
  for (let at = units; at < end; at += 4) {
    const unit = load<i32>(at);
    const own = i32x4.splat(unit);
    let smaller = i32x4.splat(0);
    for (let other = units; other < end; other += 16) {
      smaller = i32x4.add(smaller, i32x4.gt_s(own, v128.load(other)));
    }
    smaller = i32x4.add(smaller, v128.shuffle<i32>(smaller, smaller, 2, 3, 0, 1));
    smaller = i32x4.add(smaller, v128.shuffle<i32>(smaller, smaller, 1, 0, 3, 2));
    // A true comparison is −1.
    store<i32>(target - (<isize>i32x4.extract_lane(smaller, 0) << 2), unit);
  }
}

function walkBits(units: usize, count: u32, target: usize, words: usize, wordCount: u32): void {
  const end = units + (<usize>count << 2);
  for (let at = units; at < end; at += 4) {
    const unit = load<u32>(at);
    const word = words + ((<usize>unit >> 6) << 3);
    store<u64>(word, load<u64>(word) | (<u64>1 << <u64>(unit & 63)));
  }
  for (let w: u32 = 0; w < wordCount; w++) {
    const word = words + (<usize>w << 3);
    let bits = load<u64>(word);
    if (bits == 0) continue;
    store<u64>(word, 0);
    while (bits) {
      store<u32>(target, (w << 6) + <u32>ctz(bits));
      target += 4;
      bits &= bits - 1;
    }
  }
}
