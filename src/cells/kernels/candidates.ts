import { expFloat32 } from "./exp-float32.ts";

const { fround } = Math;

/** What the gate mixes with the old state: c~ and h~ of each unit computed [H]. */
export interface Candidates {
  readonly c: Float32Array;
  readonly h: Float32Array;
}

/**
 * Eqs. 1–5 and 7, 9 on the pre-activations: with e(x) = exp(x),
 *
 *     c~ = c / (1 + e(−f)) + (1 − e(−2g)) / ((1 + e(−i)) (1 + e(−2g)))     f c + i tanh(g)
 *     h~ = (1 − e(−2c~)) / ((1 + e(−o)) (1 + e(−2c~)))                     o tanh(c~)
 *
 * The output gate looks through its peephole at c~, not at the gated c.
 *
 * @param z [unit][i, f, g, o]
 * @param peepholes [unit][w_ci, w_cf, 0, w_co]
 */
export function lstmCandidates(
  z: Float32Array,
  peepholes: Float32Array,
  c: Float32Array,
  units: Int32Array,
  count: number,
  candidates: Candidates,
): void {
  for (let n = 0; n < count; n++) {
    const j = units[n]!;
    const at = 4 * j;
    const old = c[j]!;
    const ei = expFloat32(-fround(z[at]! + fround(peepholes[at]! * old)));
    const ef = expFloat32(-fround(z[at + 1]! + fround(peepholes[at + 1]! * old)));
    const eg = expFloat32(fround(-2 * z[at + 2]!));
    const kept = fround(old / fround(1 + ef));
    const written = fround(fround(1 - eg) / fround(fround(1 + ei) * fround(1 + eg)));
    const next = fround(kept + written);
    const eo = expFloat32(-fround(z[at + 3]! + fround(peepholes[at + 3]! * next)));
    const ec = expFloat32(fround(-2 * next));
    candidates.c[j] = next;
    candidates.h[j] = fround(fround(1 - ec) / fround(fround(1 + eo) * fround(1 + ec)));
  }
}

/**
 * The GRU with the reset gate after the product: n = tanh(W_n x + b_n + r (U_n h + b_hn)),
 * h~ = (1 − z) n + z h, as
 *
 *     h~ = (e(−z) (1 − e(−2n)) + h (1 + e(−2n))) / ((1 + e(−z)) (1 + e(−2n)))
 *
 * @param z [unit][r, z, W_n x + b_n, U_n h + b_hn]
 */
export function gruCandidates(
  z: Float32Array,
  h: Float32Array,
  units: Int32Array,
  count: number,
  candidates: Candidates,
): void {
  for (let m = 0; m < count; m++) {
    const j = units[m]!;
    const at = 4 * j;
    const er = expFloat32(-z[at]!);
    const ez = expFloat32(-z[at + 1]!);
    const n = fround(z[at + 2]! + fround(z[at + 3]! / fround(1 + er)));
    const en = expFloat32(fround(-2 * n));
    const fresh = fround(ez * fround(1 - en));
    const held = fround(h[j]! * fround(1 + en));
    candidates.h[j] = fround(fround(fresh + held) / fround(fround(1 + ez) * fround(1 + en)));
  }
}
