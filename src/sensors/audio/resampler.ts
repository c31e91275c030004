import { mfccSampleRate } from "./mfcc-convention.ts";
import type { AudioSamples } from "./mfcc-stream.ts";

/** Reach of the sinc on either side, in samples of the lower of the two rates. */
const reachAtLowerRate = 48;
/** Kaiser window parameter: side lobes about 80 dB down. */
const kaiserBeta = 7.857;
/**
 * Cut-off (-6 dB) as a share of the lower Nyquist frequency. The transition band is 0.105 of it
 * wide, so that it ends there: flat to 0.895, 80 dB down from 1.0.
 */
const cutoff = 1 - 0.105 / 2;
/** Coefficients are rounded to this step, which hides the last bits of an engine's Math.sin. */
const coefficientStep = 2 ** -30;
const blockSamples = 4096;
const inputRates = [8_000, 11_025, 22_050, 32_000, 44_100, 48_000];

/**
 * Resamples a signal that comes in pieces to 16 kHz with a Kaiser-windowed sinc, polyphase:
 * y[m] = Σ_n x[n]·h(m·M/L − n) for the rate ratio L/M in lowest terms. Zero phase: output m lies
 * exactly m/16000 s after the first input sample. Input before the first and after the last sample
 * counts as zero. How the signal is cut does not change a bit of the output.
 */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  /** Input samples needed on either side of an output's place. */
  readonly #reach: number;
  /** For an output p/L after input sample b: the weights of x[b − reach + 1 … b + reach]. */
  readonly #phases: readonly Float64Array[];
  /** Input samples still needed, as floats with full scale 1. */
  readonly #history: Float64Array;
  /** Index in the signal of #history[0]; starts with zeros before the signal. */
  #historyStart: number;
  #historyCount: number;
  /** Outputs computed so far. */
  #computed = 0;

  /** @throws RangeError for a rate other than 8, 11.025, 22.05, 32, 44.1 and 48 kHz. */
  constructor(sampleRate: number) {
    if (!inputRates.includes(sampleRate)) {
      throw new RangeError(
        `Cannot resample to 16 kHz: sampleRate must be one of ${inputRates.join(", ")}, got ${sampleRate}`,
      );
    }
    const divisor = greatestCommonDivisor(sampleRate, mfccSampleRate);
    this.#up = mfccSampleRate / divisor;
    this.#down = sampleRate / divisor;
    this.#reach = reachOf(sampleRate);
    this.#phases = designPhases(this.#up, this.#down, this.#reach);
    this.#history = new Float64Array(2 * this.#reach + blockSamples);
    this.#historyCount = this.#reach - 1;
    this.#historyStart = -this.#historyCount;
  }

  /** An upper bound of the outputs that `samples` more inputs and a flush can give. */
  outputMax(samples: number): number {
    return Math.ceil(((samples + this.#reach + 1) * this.#up) / this.#down) + 1;
  }

  /**
   * Takes in samples and writes the outputs that can now be computed, full scale ±1.
   *
   * @param out At least `outputMax(samples.length)` long.
   * @returns How many were written.
   */
  into(out: Float32Array, samples: AudioSamples): number {
    const scale = samples instanceof Int16Array ? 1 / 32_768 : 1;
    let written = 0;
    for (let from = 0; from < samples.length; from += blockSamples) {
      const end = Math.min(samples.length, from + blockSamples);
      for (let i = from; i < end; i += 1) {
        this.#history[this.#historyCount + i - from] = samples[i]! * scale;
      }
      this.#historyCount += end - from;
      written += this.#compute(out, written);
    }
    return written;
  }

  /** Writes the outputs up to the end of the signal, and forgets it: the next one starts at zero. */
  flushInto(out: Float32Array): number {
    this.#history.fill(0, this.#historyCount, this.#historyCount + this.#reach);
    this.#historyCount += this.#reach;
    const written = this.#compute(out, 0);
    this.#computed = 0;
    this.#historyCount = this.#reach - 1;
    this.#historyStart = -this.#historyCount;
    this.#history.fill(0, 0, this.#historyCount);
    return written;
  }

  /** Computes every output whose inputs are in the history, then drops what no later one needs. */
  #compute(out: Float32Array, from: number): number {
    const history = this.#history;
    const taps = 2 * this.#reach;
    let written = 0;
    let first = this.#firstInput();
    while (first + taps <= this.#historyCount) {
      const weights = this.#phases[(this.#computed * this.#down) % this.#up]!;
      let sum = 0;
      for (let i = 0; i < taps; i += 1) sum += weights[i]! * history[first + i]!;
      out[from + written] = sum;
      written += 1;
      this.#computed += 1;
      first = this.#firstInput();
    }
    const dropped = Math.min(first, this.#historyCount);
    history.copyWithin(0, dropped, this.#historyCount);
    this.#historyCount -= dropped;
    this.#historyStart += dropped;
    return written;
  }

  /** Place in the history of the first input that the next output needs. */
  #firstInput(): number {
    const base = Math.floor((this.#computed * this.#down) / this.#up);
    return base - this.#reach + 1 - this.#historyStart;
  }
}

/** How much later than its event time an output can be computed, rounded up to whole µs. */
export function resamplerDelayUs(sampleRate: number): number {
  return Math.ceil((reachOf(sampleRate) * 1e6) / sampleRate);
}

/** Input samples on either side of an output's place. */
function reachOf(sampleRate: number): number {
  return Math.ceil(reachAtLowerRate * Math.max(1, sampleRate / mfccSampleRate));
}

/** Resamples one whole signal to 16 kHz; ceil(n·16000/sampleRate) samples, full scale ±1. */
export function resampleWhole(signal: AudioSamples, sampleRate: number): Float32Array {
  const resampler = new Resampler(sampleRate);
  const out = new Float32Array(resampler.outputMax(signal.length));
  const written = resampler.into(out, signal);
  return out.slice(0, written + resampler.flushInto(out.subarray(written)));
}

/** Weights per phase; each phase sums to 1, so that a constant stays what it is. */
function designPhases(up: number, down: number, reach: number): Float64Array[] {
  const share = cutoff * Math.min(1, up / down);
  return Array.from({ length: up }, (_, phase) => {
    const weights = Float64Array.from({ length: 2 * reach }, (_, i) => {
      const distance = phase / up + reach - 1 - i;
      return sinc(share * distance) * kaiser(distance / reach);
    });
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => Math.round(weight / sum / coefficientStep) * coefficientStep);
  });
}

/** sin(πx)/(πx). */
function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** I₀(β√(1 − x²)), the Kaiser window up to a constant factor; 0 outside [-1, 1]. */
function kaiser(x: number): number {
  if (Math.abs(x) > 1) return 0;
  const quarterSquare = (kaiserBeta * kaiserBeta * (1 - x * x)) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-17 * sum; k += 1) {
    term *= quarterSquare / (k * k);
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
