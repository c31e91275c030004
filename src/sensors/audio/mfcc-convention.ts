/**
 * How MFCC vectors were computed. Differences between conventions are as large as the features
 * (reference measurements: correlation per coefficient down to 0.5), so the string travels with the
 * data and with the model, and the two must be equal.
 *
 * Both: 16 kHz, samples in int16 range, 400/160 samples per window/step, pre-emphasis 0.97 carried
 * across windows, Hamming, 512-point power spectrum / 512, 26 mel filters 0-8000 Hz, ln, DCT-II
 * (orthonormal) 0-12, lifter 22, c0 = ln(total power), Δ and ΔΔ by regression over five frames.
 * They differ in where the five frames lie: around the vector (`v1`, as python_speech_features
 * does; the vector exists 52.5 ms after its centre) or up to it (`causal`; 12.5 ms).
 */
export const mfccConventions = {
  centred: "mfcc39/psf-hamming/v1",
  causal: "mfcc39/psf-hamming-causal/v1",
} as const;

export type MfccConvention = (typeof mfccConventions)[keyof typeof mfccConventions];

/** Length of a vector of either convention: 13 cepstra, 13 Δ, 13 ΔΔ. */
export const mfccLength = 39;

/** Samples per second both conventions are defined for; resample other rates first. */
export const mfccSampleRate = 16_000;
