/**
 * A stream of pseudo-random numbers that is the same on every machine and engine: sfc32 ("small
 * fast counter", C. Doty-Humphrey, PractRand), 32-bit integer arithmetic only, period at least 2^32.
 * Randomness is always an explicit argument; not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  /** @param seed Whole number from 0 to 2^53 - 1; every seed gives another stream. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Cannot seed Random: seed must be a whole number >= 0, got ${seed}`);
    }
    this.#a = 0;
    this.#b = seed | 0;
    this.#c = Math.floor(seed / 2 ** 32);
    this.#counter = 1;
    // Twelve rounds mix the seed into all of the state, as PractRand does.
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** Uniform whole number in [0, 2^32). */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Uniform whole number in [0, bound), bound at most 2^32 (multiply-shift; bias below bound/2^32). */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /**
   * Nearly normal with mean 0 and standard deviation 1: the sum of twelve uniforms less 6
   * (Irwin-Hall). Additions only, so its bits do not depend on an engine's `Math.log` or `Math.cos`;
   * never beyond ±6.
   */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i += 1) sum += this.uniform();
    return sum;
  }
}
