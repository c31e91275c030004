import type { SequenceBatch, SequenceLimits } from "../sequence-op/sequence-op.ts";

/**
 * The events of a batch step by step, so that one matrix product serves all sequences of a step.
 *
 * Sequences are ordered by falling length and end together: those that have begun at a step are
 * the first so many, and their states the first rows of one matrix.
 */
export class StepOrder {
  /** Steps of the longest sequence. */
  steps = 0;
  /** Step s has rows `rowStart[s]` to `rowStart[s + 1]`, one for each sequence that has begun. */
  readonly rowStart: Int32Array;
  /** [N] event of each row. */
  readonly event: Int32Array;
  /** [B] sequences by falling length; the first is in the first row of every step. */
  sequences: readonly number[] = [];

  constructor({ eventsMax }: SequenceLimits) {
    this.rowStart = new Int32Array(eventsMax + 1);
    this.event = new Int32Array(eventsMax);
  }

  /** @returns rows, as many as the batch has events */
  arrange({ offsets }: SequenceBatch, sequences: number): number {
    const lengthOf = (b: number): number => offsets[b + 1]! - offsets[b]!;
    this.sequences = Array.from({ length: sequences }, (_, b) => b).sort(
      (a, b) => lengthOf(b) - lengthOf(a),
    );
    this.steps = lengthOf(this.sequences[0]!);
    let row = 0;
    for (let step = 0; step < this.steps; step++) {
      this.rowStart[step] = row;
      const left = this.steps - step;
      for (const b of this.sequences) {
        if (lengthOf(b) < left) break;
        this.event[row++] = offsets[b + 1]! - left;
      }
    }
    this.rowStart[this.steps] = row;
    return row;
  }

  /** Sequence of a row's place in its step, 0 for the first row. */
  sequenceAt(place: number): number {
    return this.sequences[place]!;
  }
}
