/** Frames a ring holds; a power of two above the five that a regression and its delta look back on. */
const ringFrames = 8;

/**
 * The latest frames of a sequence of vectors, and the regression slope over any five of them:
 * d_t = Σ_{n=1,2} n·(c_{t+n} − c_{t−n}) / 10 (python_speech_features `delta`, N = 2), where indices
 * before the first and after the last frame mean the first and the last.
 */
export class RegressionDeltas {
  readonly length: number;
  readonly #ring: Float64Array[];
  #count = 0;

  constructor(length: number) {
    this.length = length;
    this.#ring = Array.from({ length: ringFrames }, () => new Float64Array(length));
  }

  /** Frames appended so far. */
  get count(): number {
    return this.#count;
  }

  /** The memory of the next frame, for the caller to fill; counts as appended from now on. */
  append(): Float64Array {
    const frame = this.#ring[this.#count % ringFrames]!;
    this.#count += 1;
    return frame;
  }

  /** Frame `index`, clamped to those that exist, as a borrowed view; only the latest 8 are kept. */
  frameView(index: number): Float64Array {
    const clamped = Math.min(Math.max(index, 0), this.#count - 1);
    return this.#ring[clamped % ringFrames]!;
  }

  /** Writes the slope at frame `index` to out[from] … out[from + length - 1]. */
  slopeInto(out: Float64Array, from: number, index: number): void {
    const before2 = this.frameView(index - 2);
    const before1 = this.frameView(index - 1);
    const after1 = this.frameView(index + 1);
    const after2 = this.frameView(index + 2);
    for (let i = 0; i < this.length; i += 1) {
      out[from + i] = (after1[i]! - before1[i]! + 2 * (after2[i]! - before2[i]!)) / 10;
    }
  }

  /** Forgets all frames. */
  clear(): void {
    this.#count = 0;
  }
}
