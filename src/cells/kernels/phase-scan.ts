import { phase } from "../gate.ts";
import type { LayerParameters } from "../layer-parameters.ts";

/** Epochs whose phases are kept, so that late events and streams of other ages cost no re-basing. */
export const EPOCHS_KEPT = 16;

/**
 * Added to every phase: more than the rounding of 2^18 cycles in float64 (7.3e-11), so that an
 * event exactly at the start or the end of a window falls on the side that Eq. 6 says.
 */
const TIE_NUDGE_CYCLES: number = 2 ** -33;

/**
 * Finds the open units of a layer with oscillators, by looking at all of them.
 *
 * Time is cut into epochs at fixed instants. Each unit's phase at the start of the epoch is exact
 * (gate.ts); inside the epoch φ = frac(base + (t − start) / τ). An epoch is at most 2^18 of the
 * shortest periods long, so φ is right to 2e-10 cycles at any t. The epochs hang on ⌊s[0]⌋: adding
 * one integer to every t and s changes no bit.
 */
export class PhaseScan {
  readonly #periodUs: Float64Array;
  readonly #shiftUs: Float64Array;
  readonly #frequency: Float64Array;
  readonly #openRatio: Float64Array;
  /** Rise of k per cycle, 2 / r_on. */
  readonly #slope: Float64Array;
  readonly #isSquare: boolean;
  readonly #anchorUs: number;
  readonly #epochUs: number;
  readonly #keptStarts: Float64Array = new Float64Array(EPOCHS_KEPT).fill(Number.NaN);
  readonly #keptBases: Float64Array[];
  #startUs = Number.NaN;
  #bases: Float64Array;

  /** @param parameters validated, of a layer with oscillators */
  constructor(parameters: LayerParameters) {
    this.#periodUs = Float64Array.from(parameters.periodUs);
    this.#shiftUs = Float64Array.from(parameters.shiftUs);
    this.#frequency = this.#periodUs.map((period) => 1 / period);
    this.#openRatio = Float64Array.from(parameters.openRatio);
    this.#slope = this.#openRatio.map((ratio) => 2 / ratio);
    this.#isSquare = parameters.gate === "square";
    this.#anchorUs = Math.floor(this.#shiftUs[0]!);
    this.#epochUs = epochLengthUs(this.#periodUs);
    this.#keptBases = Array.from({ length: EPOCHS_KEPT }, () => new Float64Array(parameters.units));
    this.#bases = this.#keptBases[0]!;
  }

  /**
   * @param units receives the open units, ascending
   * @param openness receives their k, rounded to float32
   * @returns how many there are
   */
  find(timeUs: number, units: Int32Array, openness: Float32Array): number {
    if (!(timeUs >= this.#startUs && timeUs < this.#startUs + this.#epochUs)) {
      this.#enterEpoch(timeUs);
    }
    const elapsed = timeUs - this.#startUs;
    const bases = this.#bases;
    const frequency = this.#frequency;
    const openRatio = this.#openRatio;
    let count = 0;
    for (let j = 0; j < bases.length; j++) {
      const cycles = bases[j]! + elapsed * frequency[j]!;
      const phi = cycles - Math.floor(cycles);
      if (phi < openRatio[j]!) {
        const rise = phi * this.#slope[j]!;
        units[count] = j;
        openness[count] = this.#isSquare ? 1 : Math.min(rise, 2 - rise);
        count++;
      }
    }
    return count;
  }

  #enterEpoch(timeUs: number): void {
    const index = Math.floor((timeUs - this.#anchorUs) / this.#epochUs);
    const startUs = this.#anchorUs + index * this.#epochUs;
    const slot = Number.isFinite(index) ? index - Math.floor(index / EPOCHS_KEPT) * EPOCHS_KEPT : 0;
    const bases = this.#keptBases[slot]!;
    if (this.#keptStarts[slot] !== startUs) {
      for (let j = 0; j < bases.length; j++) {
        bases[j] = phase(startUs, this.#periodUs[j]!, this.#shiftUs[j]!) + TIE_NUDGE_CYCLES;
      }
      this.#keptStarts[slot] = startUs;
    }
    this.#startUs = startUs;
    this.#bases = bases;
  }
}

/**
 * Whole microseconds an epoch lasts: no more than 2^18 of the shortest period, so that the number
 * of cycles keeps 35 bits of fraction, and no more than 2^32 µs.
 */
export function epochLengthUs(periodUs: Float64Array): number {
  const shortest = periodUs.reduce((least, period) => Math.min(least, period));
  return Math.max(1, Math.min(2 ** 32, Math.floor(shortest * 2 ** 18)));
}
