/** Buckets per doubling: a quantile is right within 1.6 %. */
const bucketsPerOctave = 64;
const octaves = 53;

/**
 * Counts durations in buckets that grow with them: constant memory, however many there are. Whole
 * microseconds from 0 on.
 */
export class DurationHistogram {
  /** Durations below 64 µs have a bucket each. */
  readonly #counts = new Float64Array(bucketsPerOctave * octaves);
  #count = 0;
  #maxUs = 0;

  /** Durations counted. */
  get count(): number {
    return this.#count;
  }

  get maxUs(): number {
    return this.#maxUs;
  }

  add(durationUs: number): void {
    this.#counts[bucketOf(durationUs)]! += 1;
    this.#count++;
    if (durationUs > this.#maxUs) this.#maxUs = durationUs;
  }

  /** The least duration that at least this share of all do not exceed; 0 if there are none. */
  quantileUs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    if (wanted >= this.#count) return this.#maxUs;
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= wanted) return Math.min(this.#maxUs, lastUsOf(bucket));
    }
    return this.#maxUs;
  }

  /** How many durations are above `limitUs`, but for those of its own bucket. */
  countAbove(limitUs: number): number {
    let above = 0;
    for (let bucket = bucketOf(limitUs) + 1; bucket < this.#counts.length; bucket++) {
      above += this.#counts[bucket]!;
    }
    return above;
  }
}

function bucketOf(durationUs: number): number {
  if (durationUs < bucketsPerOctave) return Math.floor(durationUs);
  const octave = Math.floor(Math.log2(durationUs)) - 6;
  return bucketsPerOctave * octave + Math.floor(durationUs / 2 ** octave);
}

/** The greatest whole duration of a bucket. */
function lastUsOf(bucket: number): number {
  if (bucket < 2 * bucketsPerOctave) return bucket;
  const octave = Math.floor(bucket / bucketsPerOctave) - 1;
  return (bucket - bucketsPerOctave * octave + 1) * 2 ** octave - 1;
}
