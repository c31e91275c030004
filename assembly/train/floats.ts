// A call of memory.copy or memory.fill costs more than these for a few hundred bytes.

/** Copies `count` float32. */
export function copyFloats(to: usize, from: usize, count: usize): void {
  const end = to + (count << 2);
  for (; to + 16 <= end; to += 16, from += 16) v128.store(to, v128.load(from));
  for (; to < end; to += 4, from += 4) store<f32>(to, load<f32>(from));
}

/** Adds `count` float32. */
export function addFloats(to: usize, from: usize, count: usize): void {
  const end = to + (count << 2);
  for (; to + 16 <= end; to += 16, from += 16) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  }
  for (; to < end; to += 4, from += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
}

/** Sets `count` float32 to 0. */
export function clearFloats(to: usize, count: usize): void {
  const end = to + (count << 2);
  for (; to + 16 <= end; to += 16) v128.store(to, f32x4.splat(0));
  for (; to < end; to += 4) store<f32>(to, 0);
}
