import { Layer } from "./layer";

/**
 * z = b + [h | x] · [U; W] of the units listed, four slots each, in the order of the list.
 *
 * One accumulator per slot and 8 columns per turn keep 14 vectors alive: V8 has 15 registers and
 * spills silently beyond. Order of additions: see src/cells/kernels/pre-activations.ts.
 */
export function preActivations(layer: Layer, v: usize, units: usize, count: u32): void {
  const bytes = <usize>layer.columns << 2;
  const end = v + bytes;
  const blocks = layer.blocks;
  const bias = layer.bias;
  let out = layer.z;
  for (let i: usize = 0; i < <usize>count; i++) {
    const unit = <usize>load<u32>(units + (i << 2));
    let w = blocks + unit * (bytes << 2);
    let at = v;
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let a2 = f32x4.splat(0);
    let a3 = f32x4.splat(0);
    do {
      const x = v128.load(at);
      const y = v128.load(at, 16);
      a0 = f32x4.add(a0, f32x4.add(f32x4.mul(v128.load(w), x), f32x4.mul(v128.load(w, 64), y)));
      a1 = f32x4.add(a1, f32x4.add(f32x4.mul(v128.load(w, 16), x), f32x4.mul(v128.load(w, 80), y)));
      a2 = f32x4.add(a2, f32x4.add(f32x4.mul(v128.load(w, 32), x), f32x4.mul(v128.load(w, 96), y)));
      a3 = f32x4.add(a3, f32x4.add(f32x4.mul(v128.load(w, 48), x), f32x4.mul(v128.load(w, 112), y)));
      w += 128;
      at += 32;
    } while (at < end);
    // Per slot (lane 0 + lane 2) + (lane 1 + lane 3), by a transpose of adds.
    const ab = f32x4.add(
      v128.shuffle<i32>(a0, a1, 0, 4, 1, 5),
      v128.shuffle<i32>(a0, a1, 2, 6, 3, 7),
    );
    const cd = f32x4.add(
      v128.shuffle<i32>(a2, a3, 0, 4, 1, 5),
      v128.shuffle<i32>(a2, a3, 2, 6, 3, 7),
    );
    const sum = f32x4.add(
      v128.shuffle<i32>(ab, cd, 0, 1, 4, 5),
      v128.shuffle<i32>(ab, cd, 2, 3, 6, 7),
    );
    v128.store(out, f32x4.add(sum, v128.load(bias + (unit << 4))));
    out += 16;
  }
}
