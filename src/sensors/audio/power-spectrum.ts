/** A power spectrum of one fixed size, with its tables and scratch memory. */
export interface PowerSpectrum {
  /** Points of the transform, N. */
  readonly size: number;
  /**
   * out[k] = |X_k|² / N for k = 0 … N/2, where X is the DFT of `signal` padded with zeros to N.
   *
   * @param signal At most N real numbers.
   * @param out Receives N/2 + 1 numbers.
   */
  into(out: Float64Array, signal: Float64Array): void;
}

/**
 * Prepares a real power spectrum of `size` points, a power of two from 8 on.
 *
 * The N real points go through one complex transform of N/2 points (even samples real, odd samples
 * imaginary), decimation in time, radix 2, and are then told apart by symmetry: half the work of a
 * complex transform of N. Nothing is allocated per call.
 */
export function createPowerSpectrum(size: number): PowerSpectrum {
  if (size < 8 || !Number.isInteger(Math.log2(size))) {
    throw new RangeError(
      `Cannot prepare power spectrum: size must be a power of 2 >= 8, got ${size}`,
    );
  }
  const half = size / 2;
  const reversed = bitReversed(half);
  const cos = new Float64Array(half);
  const sin = new Float64Array(half);
  for (let k = 0; k < half; k += 1) {
    cos[k] = Math.cos((2 * Math.PI * k) / size);
    sin[k] = -Math.sin((2 * Math.PI * k) / size);
  }
  const re = new Float64Array(half);
  const im = new Float64Array(half);
  return {
    size,
    into(out, signal) {
      for (let k = 0; k < half; k += 1) {
        const place = reversed[k]!;
        re[place] = 2 * k < signal.length ? signal[2 * k]! : 0;
        im[place] = 2 * k + 1 < signal.length ? signal[2 * k + 1]! : 0;
      }
      transformInPlace(re, im, cos, sin);
      powerOfReal(out, re, im, cos, sin);
    },
  };
}

/** Place of each index after reversing its log2(size) bits. */
function bitReversed(size: number): Uint16Array {
  const places = new Uint16Array(size);
  for (let i = 1, place = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; (place & bit) !== 0; bit >>= 1) place ^= bit;
    place ^= bit;
    places[i] = place;
  }
  return places;
}

/** Complex transform of bit-reversed input; `cos`, `sin` hold exp(-2πik/(2n)) for k < n. */
function transformInPlace(
  re: Float64Array,
  im: Float64Array,
  cos: Float64Array,
  sin: Float64Array,
): void {
  const n = re.length;
  for (let width = 1; width < n; width *= 2) {
    const stride = n / width;
    for (let j = 0, t = 0; j < width; j += 1, t += stride) {
      const c = cos[t]!;
      const s = sin[t]!;
      for (let low = j; low < n; low += 2 * width) {
        const high = low + width;
        const real = re[high]! * c - im[high]! * s;
        const imaginary = re[high]! * s + im[high]! * c;
        re[high] = re[low]! - real;
        im[high] = im[low]! - imaginary;
        re[low] = re[low]! + real;
        im[low] = im[low]! + imaginary;
      }
    }
  }
}

/** X_k = E_k + W^k·O_k with E, O recovered from Z_k and conj(Z_{n-k}); writes |X_k|²/(2n). */
function powerOfReal(
  out: Float64Array,
  re: Float64Array,
  im: Float64Array,
  cos: Float64Array,
  sin: Float64Array,
): void {
  const n = re.length;
  const scale = 1 / (2 * n);
  out[0] = (re[0]! + im[0]!) ** 2 * scale;
  out[n] = (re[0]! - im[0]!) ** 2 * scale;
  for (let k = 1; k < n; k += 1) {
    const evenRe = (re[k]! + re[n - k]!) / 2;
    const evenIm = (im[k]! - im[n - k]!) / 2;
    const oddRe = (im[k]! + im[n - k]!) / 2;
    const oddIm = (re[n - k]! - re[k]!) / 2;
    const real = evenRe + cos[k]! * oddRe - sin[k]! * oddIm;
    const imaginary = evenIm + cos[k]! * oddIm + sin[k]! * oddRe;
    out[k] = (real * real + imaginary * imaginary) * scale;
  }
}
