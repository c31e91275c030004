import { itemLength, timeAt } from "../../../sensors/item-events.ts";
import type {
  Marker,
  SensorEvent,
  SensorStatus,
  StreamItem,
} from "../../../sensors/sensor-event.ts";
import type { TimeUs } from "../../../sensors/time.ts";
import type { AnomalyReason, DropReason, EventCounts } from "../../../telemetry/event-counts.ts";
import type { Decision } from "../../../wire/decision-json.ts";
import type { DropListener } from "../../dropped-events.ts";
import { EventOrder } from "../../merge/event-order.ts";
import type { Discontinuity, MergedItem } from "../../merge/merged-item.ts";
import type { Delivery } from "../../source.ts";
import type { LogEntry } from "./log-entry.ts";

const anomalyOfStatus: Readonly<Record<SensorStatus["status"], AnomalyReason>> = {
  idle: "sensor-idle",
  left: "sensor-left",
  joined: "sensor-joined",
};

export interface RecordedMergeOptions {
  /** Names in order of priority inside a tick. Events of any other sensor are dropped and counted. */
  readonly sensors: readonly string[];
  /** What becomes of events that were late when they were recorded. */
  readonly late: "drop" | "pass";
  /** Where the replay ends, if before the end of the recording; items from there on are not pushed. */
  readonly endUs?: TimeUs;
  readonly onDrop?: DropListener;
}

/**
 * Puts one stream's recorded items in the order in which they were applied. Whoever recorded them has
 * decided what is late, missing or given up; nothing is decided again.
 */
export class RecordedMerge {
  readonly #stream: string;
  readonly #options: RecordedMergeOptions;
  readonly #counts: EventCounts;
  readonly #emit: (item: MergedItem) => void;
  readonly #order: EventOrder;
  readonly #discontinuities: Discontinuity[] = [];
  #watermarkUs: TimeUs = Number.NEGATIVE_INFINITY;

  constructor(
    stream: string,
    options: RecordedMergeOptions,
    counts: EventCounts,
    emit: (item: MergedItem) => void,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#counts = counts;
    this.#emit = emit;
    this.#order = new EventOrder(stream, emit, ({ sensor }, _, timeUs) =>
      this.#tellDiscontinuity(sensor, timeUs),
    );
  }

  get watermarkUs(): TimeUs {
    return this.#watermarkUs;
  }

  /** Items that wait for their watermark. */
  get waiting(): number {
    return this.#order.size;
  }

  /** Takes a sensor's item or a marker. */
  push(delivery: Delivery): void {
    const { item } = delivery;
    if (item.kind === "status") {
      this.#counts.note(anomalyOfStatus[item.status], 1);
      const { stream, timeUs } = item;
      this.#emit({ kind: "status", stream, timeUs, status: item, finished: [delivery] });
      return;
    }
    const length = itemLength(item);
    this.#counts.take(length);
    const priority = item.kind === "marker" ? -1 : this.#options.sensors.indexOf(item.sensor);
    if (item.kind !== "marker" && priority < 0) this.#drop("unknown-sensor", delivery, length);
    else if (timeAt(item, 0) < this.#watermarkUs) this.#passLate(delivery, item, priority, length);
    else this.#order.push(delivery, priority, 0, length);
  }

  /** What else a recorder writes. */
  control(entry: Exclude<LogEntry, { kind: "item" }>): void {
    switch (entry.kind) {
      case "watermark":
        this.#advance(entry.timeUs);
        break;
      case "decision":
        this.#decide(entry.decision);
        break;
      case "keyframe":
        // A state from behind the end holds events that are not read.
        if (entry.timeUs <= (this.#options.endUs ?? entry.timeUs)) {
          this.#emit({ ...entry, finished: [] });
        }
        break;
      case "clock-map":
      // Event times are recorded as they were mapped.
    }
  }

  /** The recorded run was over here. */
  end(): void {
    this.#advance(Number.POSITIVE_INFINITY);
  }

  #advance(timeUs: TimeUs): void {
    const { endUs = timeUs } = this.#options;
    this.#watermarkUs = Math.max(this.#watermarkUs, Math.min(timeUs, endUs));
    this.#order.emitUntil(this.#watermarkUs);
    this.#emit({
      kind: "watermark",
      stream: this.#stream,
      timeUs: this.#watermarkUs,
      finished: [],
    });
  }

  #decide(decision: Decision): void {
    const { kind, stream, timeUs } = decision;
    if (kind !== "discontinuity") {
      this.#emit({ kind: "decision", stream, timeUs, decision, finished: [] });
      return;
    }
    const { sensor, reason, missing } = decision as unknown as Discontinuity;
    this.#discontinuities.push({ kind, stream, timeUs, sensor, reason, missing, finished: [] });
  }

  #tellDiscontinuity(sensor: string, timeUs: TimeUs): void {
    for (;;) {
      const at = this.#discontinuities.findIndex((one) => {
        return one.sensor === sensor && one.timeUs <= timeUs;
      });
      if (at < 0) return;
      const [told] = this.#discontinuities.splice(at, 1);
      this.#counts.note(told!.reason, told!.reason === "reboot" ? 1 : told!.missing);
      this.#emit(told!);
    }
  }

  #passLate(
    delivery: Delivery,
    event: SensorEvent | Marker,
    priority: number,
    length: number,
  ): void {
    if (this.#options.late === "drop") {
      this.#drop("late", delivery, length);
      return;
    }
    const { receivedUs } = delivery;
    this.#emit({
      kind: "late",
      stream: this.#stream,
      timeUs: event.timeUs,
      range: { event, from: 0, to: length, priority, receivedUs },
      finished: [delivery],
    });
  }

  #drop(reason: DropReason, delivery: Delivery, to: number): void {
    const item: StreamItem = delivery.item;
    this.#counts.drop(reason, to);
    this.#options.onDrop?.({ reason, item, from: 0, to });
    delivery.acknowledge();
  }
}
