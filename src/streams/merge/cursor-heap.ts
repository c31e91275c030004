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

/** Binary min-heap of cursors in the total order of a stream. */
export class CursorHeap {
  readonly #cursors: Cursor[] = [];

  get size(): number {
    return this.#cursors.length;
  }

  /** The first cursor, or undefined if there is none. */
  get first(): Cursor | undefined {
    return this.#cursors[0];
  }

  push(cursor: Cursor): void {
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

  /** Removes and returns the first cursor of a heap that is not empty. */
  pop(): Cursor {
    const cursors = this.#cursors;
    const first = cursors[0]!;
    const last = cursors.pop()!;
    if (cursors.length > 0) this.#sink(last);
    return first;
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
