import { applyFilterbank, createMelFilterbank } from "./mel-filterbank.ts";
import { mfccSampleRate } from "./mfcc-convention.ts";
import { createPowerSpectrum } from "./power-spectrum.ts";

/** Samples per analysis window: 25 ms at 16 kHz. */
export const windowSamples = 400;

/** Cepstra per window. */
export const cepstraLength = 13;

const fftSize = 512;
const filterCount = 26;
const lifter = 22;
/** Stands in for a power of exactly zero, whose logarithm does not exist (numpy's float64 eps). */
const powerFloor = 2 ** -52;

/** Computes the 13 static coefficients of one pre-emphasised window, in order c0 … c12. */
export type Cepstra = (out: Float64Array, preEmphasised: Float64Array) => void;

/**
 * Prepares python_speech_features' `mfcc(winfunc=hamming, appendEnergy=True)` for single windows of
 * 400 pre-emphasised samples in int16 range: Hamming, power spectrum, mel filters, ln, DCT-II,
 * lifter, c0 replaced by ln(Σ power). Tables and scratch are made once; nothing per call.
 */
export function createCepstra(): Cepstra {
  const hamming = Float64Array.from(
    { length: windowSamples },
    (_, n) => 0.54 - 0.46 * Math.cos((2 * Math.PI * n) / (windowSamples - 1)),
  );
  const spectrum = createPowerSpectrum(fftSize);
  const filterbank = createMelFilterbank(filterCount, fftSize, mfccSampleRate);
  const transform = lifteredDct();
  const windowed = new Float64Array(windowSamples);
  const power = new Float64Array(fftSize / 2 + 1);
  const logMel = new Float64Array(filterCount);
  return (out, preEmphasised) => {
    for (let n = 0; n < windowSamples; n += 1) windowed[n] = preEmphasised[n]! * hamming[n]!;
    spectrum.into(power, windowed);
    applyFilterbank(logMel, power, filterbank);
    for (let j = 0; j < filterCount; j += 1) logMel[j] = Math.log(logMel[j]! || powerFloor);
    let energy = 0;
    for (let bin = 0; bin < power.length; bin += 1) energy += power[bin]!;
    out[0] = Math.log(energy || powerFloor);
    for (let i = 1; i < cepstraLength; i += 1) {
      let sum = 0;
      for (let j = 0; j < filterCount; j += 1) sum += transform[i * filterCount + j]! * logMel[j]!;
      out[i] = sum;
    }
  };
}

/**
 * Row i: √(2/26)·cos(πi(2j + 1)/52) (DCT-II, orthonormal, i > 0) times the lifter
 * 1 + 11·sin(πi/22). Row 0 is unused, since c0 is the log energy.
 */
function lifteredDct(): Float64Array {
  const rows = new Float64Array(cepstraLength * filterCount);
  for (let i = 1; i < cepstraLength; i += 1) {
    const lift = 1 + (lifter / 2) * Math.sin((Math.PI * i) / lifter);
    for (let j = 0; j < filterCount; j += 1) {
      const cosine = Math.cos((Math.PI * i * (2 * j + 1)) / (2 * filterCount));
      rows[i * filterCount + j] = lift * Math.sqrt(2 / filterCount) * cosine;
    }
  }
  return rows;
}
