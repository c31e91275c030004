/**
 * The time gate of the Phased LSTM (Neil, Pfeiffer & Liu 2016, Eq. 6):
 *
 *     φ = ((t − s) mod τ) / τ                         floor-mod, φ in [0, 1)
 *     k = 2φ / r_on          while 0 ≤ φ < r_on/2     opening
 *       = 2 − 2φ / r_on      while r_on/2 ≤ φ < r_on  closing
 *       = α φ                else                     closed; α = 0 at inference
 */

/**
 * How a layer's openness k comes about (spec D5).
 * - `phase`: the oscillator above.
 * - `aligned`: the same with s = t0 − r_on τ/2, so that k = 1 at every t = t0 + n τ.
 * - `square`: k = 1 wherever φ < r_on, else 0.
 * - `own-event`: k = 1 at each event of the one sensor a branch layer is fed by.
 * - `always`: k = 1 whenever an input has news: the plain LSTM.
 */
export type GateMode = "phase" | "aligned" | "square" | "own-event" | "always";

/** True if units of such a layer open and close with time, so that it has τ, s and r_on. */
export function hasOscillator(mode: GateMode): mode is "phase" | "aligned" | "square" {
  return mode === "phase" || mode === "aligned" || mode === "square";
}

/**
 * Phase φ of the oscillator at time t, in cycles, in [0, 1).
 *
 * t − s is split into its rounded value and the exact rounding error (2Sum, Knuth), and the
 * remainder of a division of doubles is exact, so φ is right to an ulp at any t, and adding one
 * integer to t and s changes no bit as long as the sums themselves are exact.
 *
 * @param timeUs event time t relative to the stream's origin, µs
 * @param periodUs τ > 0, µs
 * @param shiftUs s, µs
 */
export function phase(timeUs: number, periodUs: number, shiftUs: number): number {
  const difference = timeUs - shiftUs;
  const virtualShift = timeUs - difference;
  const virtualTime = difference + virtualShift;
  const roundingError = timeUs - virtualTime + (virtualShift - shiftUs);
  let remainder = (difference % periodUs) + roundingError;
  if (remainder < 0) remainder += periodUs;
  else if (remainder >= periodUs) remainder -= periodUs;
  const phi = remainder / periodUs;
  // A tiny negative remainder can round up to a whole period: that is the start of the next one.
  return phi < 1 ? phi : 0;
}

/**
 * Openness k of the triangular gate at phase φ (Eq. 6).
 *
 * @param phi phase in cycles, [0, 1)
 * @param openRatio r_on in (0, 1]
 * @param leak α; 0 at inference
 */
export function openness(phi: number, openRatio: number, leak: number): number {
  if (phi < openRatio / 2) return (2 * phi) / openRatio;
  if (phi < openRatio) return 2 - (2 * phi) / openRatio;
  return leak * phi;
}

/** Shift s that makes a gate fully open at t0 and every τ after (mode `aligned`, spec D5). */
export function alignedShift(alignUs: number, periodUs: number, openRatio: number): number {
  return alignUs - (openRatio * periodUs) / 2;
}
