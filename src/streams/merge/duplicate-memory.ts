import type { TimeUs } from "../../sensors/time.ts";

/**
 * Remembers the last items of one sensor, by sequence number and time, in a fixed amount of memory.
 *
 * A redelivered item has both alike. The time keeps apart what a sensor sends after a reboot, when
 * it counts from the beginning again, and the items of sensors that do not count at all.
 */
export class DuplicateMemory {
  readonly #seqs: Float64Array;
  readonly #timesUs: Float64Array;

  /** @param items consecutive sequence numbers that are remembered */
  constructor(items: number) {
    this.#seqs = new Float64Array(items).fill(Number.NaN);
    this.#timesUs = new Float64Array(items);
  }

  /** @returns true if this item is remembered already; otherwise it is from now on */
  hasSeen(seq: number, timeUs: TimeUs): boolean {
    const slot = seq % this.#seqs.length;
    if (this.#seqs[slot] === seq && this.#timesUs[slot] === timeUs) return true;
    this.#seqs[slot] = seq;
    this.#timesUs[slot] = timeUs;
    return false;
  }
}
