import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { EventCounts } from "../../telemetry/event-counts.ts";
import type { Delivery } from "../source.ts";
import { type Cursor, CursorHeap } from "./cursor-heap.ts";
import type { EventRange, MergedItem } from "./merged-item.ts";

/** A sensor whose events a stream waits for. */
export interface MergedSensor {
  readonly name: string;
  /** How much earlier than the sensor's latest event a later one may still be, µs. */
  readonly latenessUs: number;
}

export interface MergeOptions {
  /** In order of priority inside a tick. Events of any other sensor are dropped and counted. */
  readonly sensors: readonly MergedSensor[];
  /** Items that may wait; beyond it the earliest goes on without the sensors that lag behind. */
  readonly waitingMax: number;
}

/**
 * Puts one stream's items in event-time order.
 *
 * The watermark is the least, over all sensors, of (latest event time − allowed lateness): no event
 * before it is still to come. What lies before it goes out; an item that arrives before it is late:
 * dropped and counted. Markers move no watermark and wait for it like events.
 */
export class StreamMerge {
  readonly #stream: string;
  readonly #options: MergeOptions;
  readonly #counts: EventCounts;
  readonly #emit: (item: MergedItem) => void;
  readonly #heap: CursorHeap = new CursorHeap();
  readonly #priority: ReadonlyMap<string, number>;
  readonly #latestUs: Float64Array;
  #watermarkUs: TimeUs = Number.NEGATIVE_INFINITY;
  #arrivals = 0;

  constructor(
    stream: string,
    options: MergeOptions,
    counts: EventCounts,
    emit: (item: MergedItem) => void,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#counts = counts;
    this.#emit = emit;
    this.#priority = new Map(options.sensors.map(({ name }, i) => [name, i]));
    this.#latestUs = new Float64Array(options.sensors.length).fill(Number.NEGATIVE_INFINITY);
  }

  get watermarkUs(): TimeUs {
    return this.#watermarkUs;
  }

  /** Takes one item and emits all that the watermark now allows. */
  push(delivery: Delivery): void {
    const { item } = delivery;
    this.#counts.take(itemLength(item));
    const priority = item.kind === "marker" ? -1 : this.#priority.get(item.sensor);
    if (priority === undefined) {
      this.#counts.drop("unknown-sensor", itemLength(item));
      delivery.acknowledge();
      return;
    }
    const index = this.#firstInTime(item);
    this.#counts.drop("late", index);
    if (priority >= 0) this.#observe(priority, item);
    if (index < itemLength(item)) {
      const timeUs = timeAt(item, index);
      this.#heap.push({ delivery, priority, arrival: this.#arrivals++, index, timeUs });
    } else {
      delivery.acknowledge();
    }
    this.#emitUntil(this.#watermarkUs);
    while (this.#heap.size > this.#options.waitingMax) this.#giveUpWaiting();
  }

  /** No more items will come: emits all that waits. */
  end(): void {
    this.#watermarkUs = Number.POSITIVE_INFINITY;
    this.#emitUntil(this.#watermarkUs);
  }

  /** First event of the item that is not late. */
  #firstInTime(item: StreamItem): number {
    const length = itemLength(item);
    let index = 0;
    while (index < length && timeAt(item, index) < this.#watermarkUs) index++;
    return index;
  }

  #observe(sensor: number, item: StreamItem): void {
    const lastUs = timeAt(item, itemLength(item) - 1);
    if (!(lastUs > this.#latestUs[sensor]!)) return;
    this.#latestUs[sensor] = lastUs;
    let watermark = Number.POSITIVE_INFINITY;
    this.#options.sensors.forEach(({ latenessUs }, i) => {
      watermark = Math.min(watermark, this.#latestUs[i]! - latenessUs);
    });
    this.#watermarkUs = Math.max(this.#watermarkUs, watermark);
  }

  /** A buffer is full because a sensor lags: the earliest time is over. */
  #giveUpWaiting(): void {
    const first = this.#heap.first!;
    // The smallest time above the first item's: times are whole microseconds.
    this.#watermarkUs = Math.max(this.#watermarkUs, first.timeUs + 1);
    this.#emitUntil(this.#watermarkUs);
  }

  #emitUntil(watermarkUs: TimeUs): void {
    for (;;) {
      const first = this.#heap.first;
      if (first === undefined || !(first.timeUs < watermarkUs)) return;
      const cursor = this.#heap.pop();
      if (cursor.delivery.item.kind === "marker") this.#emitMarker(cursor);
      else if (this.#heap.first?.timeUs === cursor.timeUs) this.#emitTick(cursor);
      else this.#emitAlone(cursor, Math.min(watermarkUs, this.#heap.first?.timeUs ?? watermarkUs));
    }
  }

  #emitMarker(cursor: Cursor): void {
    const marker = cursor.delivery.item;
    if (marker.kind !== "marker") return;
    this.#emit({
      kind: "marker",
      stream: this.#stream,
      timeUs: marker.timeUs,
      marker,
      finished: [cursor.delivery],
    });
  }

  /** Several cursors stand at one time: one tick of all of them. */
  #emitTick(first: Cursor): void {
    const { timeUs } = first;
    const ranges: EventRange[] = [];
    const finished: Delivery[] = [];
    let cursor = first;
    for (;;) {
      this.#advance(cursor, timeUs + 1, ranges, finished);
      if (this.#heap.first?.timeUs !== timeUs) break;
      cursor = this.#heap.pop();
    }
    this.#emit({ kind: "tick", stream: this.#stream, timeUs, ranges, finished });
  }

  /** One cursor has the time before `limitUs` for itself. */
  #emitAlone(cursor: Cursor, limitUs: TimeUs): void {
    const { timeUs } = cursor;
    const ranges: EventRange[] = [];
    const finished: Delivery[] = [];
    this.#advance(cursor, limitUs, ranges, finished);
    const stream = this.#stream;
    const { event, from, to } = ranges[0]!;
    this.#emit(
      event.kind === "dvs"
        ? { kind: "run", stream, timeUs, range: { event, from, to }, finished }
        : { kind: "tick", stream, timeUs, ranges, finished },
    );
  }

  /** Takes the events before `limitUs` from a cursor and puts the rest back. */
  #advance(cursor: Cursor, limitUs: TimeUs, ranges: EventRange[], finished: Delivery[]): void {
    const event = cursor.delivery.item;
    if (event.kind === "marker") return;
    const from = cursor.index;
    const length = itemLength(event);
    let to = from + 1;
    while (to < length && timeAt(event, to) < limitUs) to++;
    ranges.push({ event, from, to });
    if (to === length) {
      finished.push(cursor.delivery);
      return;
    }
    cursor.index = to;
    cursor.timeUs = timeAt(event, to);
    this.#heap.push(cursor);
  }
}

/** Events of a packet; any other item, markers too, counts as one. */
function itemLength(item: StreamItem): number {
  return item.kind === "dvs" ? item.packet.count : 1;
}

function timeAt(item: StreamItem, index: number): TimeUs {
  return item.kind === "dvs" ? item.packet.timeUs[index]! : item.timeUs;
}
