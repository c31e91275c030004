import { Layer } from "./layer";

/** Up to so many, comparing each with each is quicker than a bit per unit of the layer. */
const RANKED_MAX: u32 = 48;

/**
 * Lists `count` different units and their k in the order of the units as those that are open.
 *
 * @param units room for 8 more
 * @param openness as long
 * @param words u64 per 64 units of the layer, all zero before and after
 */
export function listAscending(
  layer: Layer, units: usize, openness: usize, count: u32, words: usize,
): void {
  // A square gate has no k but 1: what was computed goes where nobody looks.
  const target = layer.gate == 1 ? layer.openness : layer.z;
  if (count <= RANKED_MAX) rank(units, openness, count, layer.openUnits, target);
  else walkBits(layer, units, openness, count, target, words);
}

/** The place of a unit is the number of smaller ones: no branch depends on the order. */
function rank(
  units: usize, openness: usize, count: u32, target: usize, targetOpenness: usize,
): void {
  const end = units + (<usize>count << 2);
  // No unit is greater, and each of these is as many places from the beginning as there are units.
  v128.store(end, i32x4.splat(i32.MAX_VALUE));
  v128.store(end, i32x4.splat(i32.MAX_VALUE), 16);
  for (let at = units; at < end; at += 32) {
    const low = v128.load(at);
    const high = v128.load(at, 16);
    let lowPlaces = i32x4.splat(0);
    let highPlaces = i32x4.splat(0);
    for (let other = units; other < end; other += 8) {
      const first = v128.load32_splat(other);
      const second = v128.load32_splat(other, 4);
      // A true comparison is −1.
      lowPlaces = i32x4.add(lowPlaces, i32x4.gt_s(low, first));
      highPlaces = i32x4.add(highPlaces, i32x4.gt_s(high, first));
      lowPlaces = i32x4.add(lowPlaces, i32x4.gt_s(low, second));
      highPlaces = i32x4.add(highPlaces, i32x4.gt_s(high, second));
    }
    const from = openness + (at - units);
    placeFour(target, targetOpenness, at, from, lowPlaces);
    placeFour(target, targetOpenness, at + 16, from + 16, highPlaces);
  }
}

/** Writes four units and their k to the units' places, which are negative. */
@inline
function placeFour(
  target: usize, targetOpenness: usize, units: usize, openness: usize, places: v128,
): void {
  const a = <isize>i32x4.extract_lane(places, 0) << 2;
  store<u32>(target - a, load<u32>(units));
  store<u32>(targetOpenness - a, load<u32>(openness));
  const b = <isize>i32x4.extract_lane(places, 1) << 2;
  store<u32>(target - b, load<u32>(units, 4));
  store<u32>(targetOpenness - b, load<u32>(openness, 4));
  const c = <isize>i32x4.extract_lane(places, 2) << 2;
  store<u32>(target - c, load<u32>(units, 8));
  store<u32>(targetOpenness - c, load<u32>(openness, 8));
  const d = <isize>i32x4.extract_lane(places, 3) << 2;
  store<u32>(target - d, load<u32>(units, 12));
  store<u32>(targetOpenness - d, load<u32>(openness, 12));
}

function walkBits(
  layer: Layer, units: usize, openness: usize, count: u32, targetOpenness: usize, words: usize,
): void {
  // Where the dense step keeps the k of every unit, which it writes before it reads it.
  const byUnit = layer.denseOpenness;
  for (let at: usize = 0; at < <usize>count << 2; at += 4) {
    const unit = load<u32>(units + at);
    const word = words + ((<usize>unit >> 6) << 3);
    store<u64>(word, load<u64>(word) | (<u64>1 << <u64>(unit & 63)));
    store<f32>(byUnit + (<usize>unit << 2), load<f32>(openness + at));
  }
  const wordCount = (layer.units + 63) >> 6;
  const target = layer.openUnits;
  let at: usize = 0;
  for (let w: u32 = 0; w < wordCount; w++) {
    const word = words + (<usize>w << 3);
    let bits = load<u64>(word);
    if (bits == 0) continue;
    store<u64>(word, 0);
    while (bits) {
      const unit = (w << 6) + <u32>ctz(bits);
      store<u32>(target + at, unit);
      store<f32>(targetOpenness + at, load<f32>(byUnit + (<usize>unit << 2)));
      at += 4;
      bits &= bits - 1;
    }
  }
}
