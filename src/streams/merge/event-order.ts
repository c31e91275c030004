import { timeAt } from "../../sensors/item-events.ts";
import type { DvsEvent, Marker, SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { Delivery } from "../source.ts";
import { type Cursor, CursorHeap } from "./cursor-heap.ts";
import { itemBytes } from "./item-extent.ts";
import type { EventRange, MergedItem } from "./merged-item.ts";

const none: readonly Delivery[] = [];

/**
 * One stream's items on their way into the total order (time, sensor priority, seq, arrival). It
 * knows no watermark: whoever drives it says up to which time nothing is missing.
 */
export class EventOrder {
  readonly #stream: string;
  readonly #emit: (item: MergedItem) => void;
  readonly #onFirst: ((event: SensorEvent, priority: number, timeUs: TimeUs) => void) | undefined;
  readonly #heap: CursorHeap = new CursorHeap();
  #arrivals = 0;
  #bytes = 0;

  /** @param onFirst called before the tick that holds the first event of an item */
  constructor(
    stream: string,
    emit: (item: MergedItem) => void,
    onFirst?: (event: SensorEvent, priority: number, timeUs: TimeUs) => void,
  ) {
    this.#stream = stream;
    this.#emit = emit;
    this.#onFirst = onFirst;
  }

  /** Items that wait. */
  get size(): number {
    return this.#heap.size;
  }

  /** Bytes of the items that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Time of the first event that waits; undefined if none does. */
  get firstUs(): TimeUs | undefined {
    return this.#heap.first?.timeUs;
  }

  /** Takes events `from` to `end` (excluded, at least one) of an item. */
  push(delivery: Delivery, priority: number, from: number, end: number): void {
    const { item } = delivery;
    const bytes = itemBytes(item);
    this.#bytes += bytes;
    this.#heap.push({
      delivery,
      priority,
      arrival: this.#arrivals++,
      end,
      bytes,
      index: from,
      started: false,
      timeUs: timeAt(item, from),
    });
  }

  /** Emits, in order, all events before `limitUs`. */
  emitUntil(limitUs: TimeUs): void {
    for (;;) {
      const first = this.#heap.first;
      if (first === undefined || !(first.timeUs < limitUs)) return;
      const cursor = this.#heap.pop();
      const nextUs = this.#heap.first?.timeUs ?? limitUs;
      if (cursor.delivery.item.kind === "marker") this.#emitMarker(cursor, cursor.delivery.item);
      else if (nextUs === cursor.timeUs) this.#emitTick(cursor);
      else this.#emitAlone(cursor, Math.min(limitUs, nextUs));
    }
  }

  #emitMarker(cursor: Cursor, marker: Marker): void {
    this.#bytes -= cursor.bytes;
    const finished = [cursor.delivery];
    this.#emit({ kind: "marker", stream: this.#stream, timeUs: marker.timeUs, marker, finished });
  }

  /** Several cursors stand at one time: one tick of all of them. */
  #emitTick(first: Cursor): void {
    const { timeUs } = first;
    const ranges: EventRange[] = [];
    const finished: Delivery[] = [];
    let cursor = first;
    for (;;) {
      ranges.push(this.#advance(cursor, timeUs + 1));
      if (cursor.index === cursor.end) finished.push(cursor.delivery);
      if (this.#heap.first?.timeUs !== timeUs) break;
      cursor = this.#heap.pop();
    }
    this.#emit({ kind: "tick", stream: this.#stream, timeUs, ranges, finished });
  }

  /** One cursor has the time before `limitUs` for itself. */
  #emitAlone(cursor: Cursor, limitUs: TimeUs): void {
    const { timeUs } = cursor;
    const stream = this.#stream;
    const range = this.#advance(cursor, limitUs);
    const finished = cursor.index === cursor.end ? [cursor.delivery] : none;
    this.#emit(
      isOfDvs(range)
        ? { kind: "run", stream, timeUs, range, finished }
        : { kind: "tick", stream, timeUs, ranges: [range], finished },
    );
  }

  /** Takes the events before `limitUs` from a cursor, and puts it back if there are more. */
  #advance(cursor: Cursor, limitUs: TimeUs): EventRange {
    const { delivery, priority, end, index: from } = cursor;
    // Markers have gone out before, and statuses never come here.
    const event = delivery.item as SensorEvent;
    if (!cursor.started) {
      cursor.started = true;
      this.#onFirst?.(event, priority, cursor.timeUs);
    }
    let to = from + 1;
    while (to < end && timeAt(event, to) < limitUs) to++;
    cursor.index = to;
    if (to === end) {
      this.#bytes -= cursor.bytes;
    } else {
      cursor.timeUs = timeAt(event, to);
      this.#heap.push(cursor);
    }
    return { event, from, to, priority, receivedUs: delivery.receivedUs };
  }
}

function isOfDvs(range: EventRange): range is EventRange<DvsEvent> {
  return range.event.kind === "dvs";
}
