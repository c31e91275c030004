import { expOfNegative4 } from "./exp";

// Formulas of four units and their order: lstmCandidates() in src/cells/kernels/candidates.ts.

@inline
export function one(): v128 {
  return f32x4.splat(1);
}

@inline
export function onePlus(x: v128): v128 {
  return f32x4.add(one(), x);
}

@inline
export function twice(x: v128): v128 {
  return f32x4.add(x, x);
}

/** c~ from the sums in the input gate, the forget gate and the candidate, and the old c. */
@inline
export function candidateC(i: v128, f: v128, g: v128, oldC: v128): v128 {
  const ei = expOfNegative4(i);
  const ef = expOfNegative4(f);
  const eg = expOfNegative4(twice(g));
  const kept = f32x4.div(oldC, onePlus(ef));
  const written = f32x4.div(f32x4.sub(one(), eg), f32x4.mul(onePlus(ei), onePlus(eg)));
  return f32x4.add(kept, written);
}

/** h~ from c~ and the sum in the output gate. */
@inline
export function candidateH(c: v128, o: v128): v128 {
  const eo = expOfNegative4(o);
  const ec = expOfNegative4(twice(c));
  return f32x4.div(f32x4.sub(one(), ec), f32x4.mul(onePlus(eo), onePlus(ec)));
}

/** k new + (1 − k) old (Eqs. 8, 10). */
@inline
export function mix(k: v128, next: v128, old: v128): v128 {
  return f32x4.add(f32x4.mul(k, next), f32x4.mul(f32x4.sub(one(), k), old));
}
