import { itemLength, timeAt } from "../../sensors/item-events.ts";
import type { SensorEvent, SensorStatus, StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { AnomalyReason, DropReason, EventCounts } from "../../telemetry/event-counts.ts";
import type { Delivery } from "../source.ts";
import { DuplicateMemory } from "./duplicate-memory.ts";
import { EventOrder } from "./event-order.ts";
import { FutureGuard } from "./future-guard.ts";
import type { MergeOptions } from "./merge-options.ts";
import type { MergedItem } from "./merged-item.ts";
import { SeqContinuity } from "./seq-continuity.ts";
import { Watermark } from "./watermark.ts";

const defaultWaitingBytesMax = 64 * 1024 * 1024;
const defaultFutureUsMax = 5 * 60 * 1_000_000;
const defaultBackwardUsMin = 1_000_000;
const defaultDuplicateItemsMax = 1024;
const markerPriority = -1;

const anomalyOfStatus: Readonly<Record<SensorStatus["status"], AnomalyReason>> = {
  idle: "sensor-idle",
  left: "sensor-left",
  joined: "sensor-joined",
};

/** What the merge knows of one sensor beside its time. */
interface SensorMemory {
  readonly name: string;
  readonly backwardUsMin: number;
  readonly duplicates: DuplicateMemory;
  readonly continuity: SeqContinuity;
  /** Highest sequence number since the sensor's last reboot. */
  highestSeq: number;
}

/**
 * Puts one stream's items in event-time order.
 *
 * The watermark is the least, over the sensors that are waited for, of (latest event time − allowed
 * lateness): no event before it is still to come. What lies before it goes out; an item that arrives
 * before it is late. Markers move no watermark and wait for it like events.
 *
 * What comes out is a function of the sequence of what is pushed and nothing else: receive times are
 * part of the deliveries, and that a sensor is idle is told by an item.
 */
export class StreamMerge {
  readonly #stream: string;
  readonly #options: MergeOptions;
  readonly #counts: EventCounts;
  readonly #emit: (item: MergedItem) => void;
  readonly #order: EventOrder;
  readonly #priority: ReadonlyMap<string, number>;
  readonly #sensors: readonly SensorMemory[];
  readonly #watermark: Watermark;
  readonly #future: FutureGuard;
  readonly #waitingBytesMax: number;
  /** Per action: markers of several actions may share a sequence number. */
  readonly #markers = new Map<string, DuplicateMemory>();
  /** Latest time of anything that was let in. */
  #newestUs: TimeUs = Number.NEGATIVE_INFINITY;
  /** The last watermark that was passed on. */
  #toldUs: TimeUs = Number.NEGATIVE_INFINITY;

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
    this.#order = new EventOrder(stream, emit, (event, priority, timeUs) =>
      this.#checkContinuity(event, priority, timeUs),
    );
    this.#priority = new Map(options.sensors.map(({ name }, i) => [name, i]));
    this.#watermark = new Watermark(options.sensors);
    this.#future = new FutureGuard(options.futureUsMax ?? defaultFutureUsMax);
    this.#waitingBytesMax = options.waitingBytesMax ?? defaultWaitingBytesMax;
    const backwardUsMin = options.backwardUsMin ?? defaultBackwardUsMin;
    this.#sensors = options.sensors.map(({ name, latenessUs }) => ({
      name,
      backwardUsMin: Math.max(backwardUsMin, latenessUs),
      duplicates: this.#createDuplicateMemory(),
      continuity: new SeqContinuity(),
      highestSeq: Number.NEGATIVE_INFINITY,
    }));
  }

  get watermarkUs(): TimeUs {
    return this.#watermark.valueUs;
  }

  /** Takes one item and emits all that the watermark now allows. */
  push(delivery: Delivery): void {
    const { item } = delivery;
    if (item.kind === "status") {
      this.#applyStatus(item);
      delivery.acknowledge();
    } else {
      this.#admit(delivery, item);
    }
    this.#order.emitUntil(this.#watermark.valueUs);
    while (this.#isFull()) this.#giveUpWaiting();
    this.#tellProgress();
  }

  /** No more items will come: emits all that waits. */
  end(): void {
    this.#watermark.raiseTo(Number.POSITIVE_INFINITY);
    this.#order.emitUntil(this.#watermark.valueUs);
    this.#tellProgress();
  }

  /** Told when all before it has gone out: between two ticks, whoever hears of it. */
  #tellProgress(): void {
    const timeUs = this.#watermark.valueUs;
    if (this.#options.progress !== true || timeUs === this.#toldUs) return;
    this.#toldUs = timeUs;
    this.#emit({ kind: "watermark", stream: this.#stream, timeUs, finished: [] });
  }

  #createDuplicateMemory(): DuplicateMemory {
    return new DuplicateMemory(this.#options.duplicateItemsMax ?? defaultDuplicateItemsMax);
  }

  #applyStatus(item: SensorStatus): void {
    const { sensor, status, timeUs } = item;
    const index = this.#priority.get(sensor);
    // Idle is less than left: a sensor that has left is not waited for anyway.
    if (index === undefined || (status === "idle" && !this.#watermark.isWaitedFor(index))) return;
    this.#setStatus(index, status);
    if (this.#options.progress !== true) return;
    this.#emit({ kind: "status", stream: this.#stream, timeUs, status: item, finished: [] });
  }

  #setStatus(sensor: number, status: SensorStatus["status"]): void {
    this.#counts.note(anomalyOfStatus[status], 1);
    // Where nobody is expected to speak, nothing that has come can be too early.
    if (!this.#watermark.setStatus(sensor, status)) this.#watermark.raiseTo(this.#newestUs + 1);
  }

  #admit(delivery: Delivery, item: Exclude<StreamItem, SensorStatus>): void {
    const length = itemLength(item);
    this.#counts.take(length);
    const priority = item.kind === "marker" ? markerPriority : this.#priority.get(item.sensor);
    if (priority === undefined || length === 0) {
      this.#drop("unknown-sensor", delivery, length);
      return;
    }
    const refusal = this.#refusal(delivery, priority, length);
    if (refusal !== undefined) {
      this.#drop(refusal, delivery, length);
      // Nobody waits until a clock that was set back has caught up.
      if (refusal === "backward-jump" && this.#watermark.isWaitedFor(priority)) {
        this.#setStatus(priority, "idle");
      }
      return;
    }
    const lastUs = timeAt(item, length - 1);
    this.#newestUs = Math.max(this.#newestUs, lastUs);
    const inTime = this.#firstInTime(item, length);
    if (inTime > 0) this.#handleLate(delivery, priority, inTime, length);
    if (inTime < length) this.#order.push(delivery, priority, inTime, length);
    if (item.kind !== "marker") this.#watermark.observe(priority, lastUs);
  }

  /** Why an item must not go on at all; undefined if it may. */
  #refusal(delivery: Delivery, priority: number, length: number): DropReason | undefined {
    const { item, receivedUs } = delivery;
    if (item.kind === "marker") {
      return this.#markerMemory(item.action).hasSeen(item.seq, item.timeUs)
        ? "duplicate"
        : undefined;
    }
    const lastUs = timeAt(item, length - 1);
    const othersUs = receivedUs === undefined ? this.#watermark.latestOfOthersUs(priority) : lastUs;
    if (this.#future.refuses(priority, lastUs, receivedUs, othersUs)) return "future";
    const sensor = this.#sensors[priority]!;
    if (sensor.duplicates.hasSeen(item.seq, item.timeUs)) return "duplicate";
    const latestUs = this.#watermark.latestUs(priority);
    const isNewer = item.seq > sensor.highestSeq;
    // A lower number with a later time: the sensor has rebooted and counts anew.
    if (isNewer || item.timeUs > latestUs) sensor.highestSeq = item.seq;
    const wentBack = isNewer && lastUs < latestUs - sensor.backwardUsMin;
    return wentBack && lastUs < this.#watermark.valueUs ? "backward-jump" : undefined;
  }

  #markerMemory(action: string): DuplicateMemory {
    let memory = this.#markers.get(action);
    if (memory === undefined) {
      memory = this.#createDuplicateMemory();
      this.#markers.set(action, memory);
    }
    return memory;
  }

  /** First event of the item that is not late. */
  #firstInTime(item: StreamItem, length: number): number {
    const watermarkUs = this.#watermark.valueUs;
    let index = 0;
    while (index < length && timeAt(item, index) < watermarkUs) index++;
    return index;
  }

  /** Events 0 to `to` of an item are late. */
  #handleLate(delivery: Delivery, priority: number, to: number, length: number): void {
    const { item } = delivery;
    if (this.#options.late !== "pass" || item.kind === "status") {
      this.#drop("late", delivery, to, to === length);
      return;
    }
    this.#emit({
      kind: "late",
      stream: this.#stream,
      timeUs: timeAt(item, 0),
      range: { event: item, from: 0, to, priority, receivedUs: delivery.receivedUs },
      finished: to === length ? [delivery] : [],
    });
  }

  #drop(reason: DropReason, delivery: Delivery, to: number, isWhole = true): void {
    this.#counts.drop(reason, to);
    if (to > 0) this.#options.onDrop?.({ reason, item: delivery.item, from: 0, to });
    if (isWhole) delivery.acknowledge();
  }

  #checkContinuity(event: SensorEvent, priority: number, timeUs: TimeUs): void {
    const { name, continuity } = this.#sensors[priority]!;
    const missing = continuity.missingBefore(event.seq);
    if (missing === 0) return;
    const reason = missing < 0 ? "reboot" : "seq-gap";
    this.#counts.note(reason, Math.abs(missing));
    this.#emit({
      kind: "discontinuity",
      stream: this.#stream,
      sensor: name,
      timeUs,
      reason,
      missing: Math.max(0, missing),
      finished: [],
    });
  }

  #isFull(): boolean {
    return this.#order.size > this.#options.waitingMax || this.#order.bytes > this.#waitingBytesMax;
  }

  /** A buffer is full because a sensor lags: the earliest time is over. */
  #giveUpWaiting(): void {
    this.#counts.note("gave-up-waiting", 1);
    // The smallest time above the first item's: times are whole microseconds.
    this.#watermark.raiseTo(this.#order.firstUs! + 1);
    this.#order.emitUntil(this.#watermark.valueUs);
  }
}
