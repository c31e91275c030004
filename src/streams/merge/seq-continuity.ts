/**
 * Follows the sequence numbers of one sensor in event-time order, behind the merge: there a gap is
 * final, and whatever the order of arrival was it is found in the same place.
 */
export class SeqContinuity {
  #last = Number.NaN;
  #epoch = 0;

  /** Times the sensor has begun to count anew. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * @returns items missing before this one; −1 if the sensor has rebooted: its number is below that
   *   of an earlier event. A number that stays the same belongs to a sensor that does not count.
   */
  missingBefore(seq: number): number {
    const last = this.#last;
    this.#last = seq;
    if (seq < last) {
      this.#epoch++;
      return -1;
    }
    return seq > last + 1 ? seq - last - 1 : 0;
  }
}
