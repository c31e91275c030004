import type { TimeUs } from "../../sensors/time.ts";
import type { Delivery } from "../source.ts";

/** A delivery and how far it has been merged. */
export interface Cursor {
  readonly delivery: Delivery;
  /** Place of its sensor inside a tick; markers come first with −1. */
  readonly priority: number;
  /** Order of arrival: the last word where all else is equal. */
  readonly arrival: number;
  /** Where its events end: its length, unless only a part of a packet is wanted. */
  readonly end: number;
  /** Bytes it keeps in memory. */
  readonly bytes: number;
  /** Next event of a DVS packet; 0 for all other kinds. */
  index: number;
  /** False until its first event has gone out. */
  started: boolean;
  /** Time of the next event. */
  timeUs: TimeUs;
}

/** Total order of a stream: (time, priority, seq, arrival). */
function comesBefore(a: Cursor, b: Cursor): boolean {
  if (a.timeUs !== b.timeUs) return a.timeUs < b.timeUs;
  if (a.priority !== b.priority) return a.priority < b.priority;
  const bySeq = a.delivery.item.seq - b.delivery.item.seq;
  return bySeq !== 0 ? bySeq < 0 : a.arrival < b.arrival;
}

/** Cursors that have been taken out of the line are cut off in parts of this size. */
const takenMax = 1024;

/**
 * Cursors in the total order of a stream. What arrives in order, as most does, waits in line; only what
 * does not goes into a binary min-heap.
 */
export class CursorHeap {
  /** In order from `#next` on. */
  readonly #line: Cursor[] = [];
  #next = 0;
  readonly #cursors: Cursor[] = [];

  get size(): number {
    return this.#line.length - this.#next + this.#cursors.length;
  }

  /** The first cursor, or undefined if there is none. */
  get first(): Cursor | undefined {
    const inLine = this.#line[this.#next];
    const other = this.#cursors[0];
    if (inLine === undefined) return other;
    return other !== undefined && comesBefore(other, inLine) ? other : inLine;
  }

  push(cursor: Cursor): void {
    const last = this.#line.at(-1);
    if (last === undefined || comesBefore(last, cursor)) this.#line.push(cursor);
    else this.#lift(cursor);
  }

  /** Removes and returns the first cursor of a heap that is not empty. */
  pop(): Cursor {
    const first = this.first!;
    if (first === this.#cursors[0]) {
      const last = this.#cursors.pop()!;
      if (this.#cursors.length > 0) this.#sink(last);
      return first;
    }
    this.#next++;
    if (this.#next === this.#line.length || this.#next === takenMax) {
      this.#line.splice(0, this.#next);
      this.#next = 0;
    }
    return first;
  }

  #lift(cursor: Cursor): void {
    const cursors = this.#cursors;
    let at = cursors.length;
    cursors.push(cursor);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!comesBefore(cursor, cursors[parent]!)) break;
      cursors[at] = cursors[parent]!;
      at = parent;
    }
    cursors[at] = cursor;
  }

  #sink(cursor: Cursor): void {
    const cursors = this.#cursors;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= cursors.length) break;
      if (child + 1 < cursors.length && comesBefore(cursors[child + 1]!, cursors[child]!)) child++;
      if (!comesBefore(cursors[child]!, cursor)) break;
      cursors[at] = cursors[child]!;
      at = child;
    }
    cursors[at] = cursor;
  }
}
