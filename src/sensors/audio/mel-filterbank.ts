/** Triangular filters over the bins of a power spectrum; filter j covers bins from[j] … from[j] + weights[j].length - 1. */
export interface MelFilterbank {
  readonly from: readonly number[];
  readonly weights: readonly Float64Array[];
}

/**
 * `filters` triangles, equally wide on the mel scale mel = 2595·log10(1 + f/700) between 0 Hz and
 * half the sample rate, with corners rounded down to bins: floor((fftSize + 1)·f / sampleRate), as
 * python_speech_features `get_filterbanks` does.
 */
export function createMelFilterbank(
  filters: number,
  fftSize: number,
  sampleRate: number,
): MelFilterbank {
  const melMax = 2595 * Math.log10(1 + sampleRate / 2 / 700);
  const corner = (i: number): number => {
    const hz = 700 * (10 ** ((melMax * i) / (filters + 1) / 2595) - 1);
    return Math.floor(((fftSize + 1) * hz) / sampleRate);
  };
  const from: number[] = [];
  const weights: Float64Array[] = [];
  for (let filter = 0; filter < filters; filter += 1) {
    const [low, peak, high] = [corner(filter), corner(filter + 1), corner(filter + 2)];
    const triangle = new Float64Array(high - low);
    for (let bin = low; bin < peak; bin += 1) triangle[bin - low] = (bin - low) / (peak - low);
    for (let bin = peak; bin < high; bin += 1) triangle[bin - low] = (high - bin) / (high - peak);
    from.push(low);
    weights.push(triangle);
  }
  return { from, weights };
}

/** out[j] = Σ_bin weights[j][bin]·power[from[j] + bin]. */
export function applyFilterbank(
  out: Float64Array,
  power: Float64Array,
  { from, weights }: MelFilterbank,
): void {
  for (let filter = 0; filter < weights.length; filter += 1) {
    const triangle = weights[filter]!;
    const first = from[filter]!;
    let sum = 0;
    for (let bin = 0; bin < triangle.length; bin += 1) sum += triangle[bin]! * power[first + bin]!;
    out[filter] = sum;
  }
}
