import { Observable, type Subscriber } from "rxjs";
import type { StreamItem } from "../../../sensors/sensor-event.ts";
import type { TimeUs } from "../../../sensors/time.ts";
import type { EventCounts } from "../../../telemetry/event-counts.ts";
import type { MergedItem } from "../../merge/merged-item.ts";
import type { Delivery } from "../../source.ts";
import { isOf, itemBefore } from "../select-items.ts";
import type { LogEntry } from "./log-entry.ts";
import { RecordedMerge, type RecordedMergeOptions } from "./merge-recorded.ts";
import type { RecordedLog } from "./recorded-log.ts";

export interface LogSourceOptions extends RecordedMergeOptions {
  /** Chunks to read: `from` to `to` (excluded). */
  readonly from: number;
  readonly to: number;
  /** The sensors that are read. Default: all. */
  readonly selected?: ReadonlySet<string>;
  /** False for deliveries that must not go on, and have been counted. */
  readonly accepts: (delivery: Delivery) => boolean;
  /**
   * Deliveries that may be unacknowledged, beside those of one chunk and those that wait for a watermark,
   * before reading waits.
   */
  readonly inFlightMax: number;
}

/** What recorded chunks hold, in the order in which it was applied when it was recorded. */
export function logSource(
  log: RecordedLog,
  options: LogSourceOptions,
  counts: EventCounts,
): Observable<MergedItem> {
  return new Observable((subscriber) => {
    new LogReader(log, options, counts, subscriber).run().then(
      () => subscriber.complete(),
      (error) => subscriber.error(error),
    );
  });
}

class LogReader {
  readonly #log: RecordedLog;
  readonly #options: LogSourceOptions;
  readonly #counts: EventCounts;
  readonly #subscriber: Subscriber<MergedItem>;
  readonly #merges = new Map<string, RecordedMerge>();
  #inFlight = 0;
  #wake: (() => void) | undefined;

  constructor(
    log: RecordedLog,
    options: LogSourceOptions,
    counts: EventCounts,
    subscriber: Subscriber<MergedItem>,
  ) {
    this.#log = log;
    this.#options = options;
    this.#counts = counts;
    this.#subscriber = subscriber;
    // An unsubscribed source must not wait for acknowledgements that will never come.
    subscriber.add(() => this.#wake?.());
  }

  async run(): Promise<void> {
    const { from, to } = this.#options;
    for await (const entries of this.#log.entries(from, to)) {
      this.#takeAll(entries);
      if (this.#isPastEnd()) return;
      await this.#acknowledged();
      if (this.#subscriber.closed) return;
    }
    if (to < this.#log.chunks) {
      // The states at the end, for whoever compares them.
      this.#takeAll(await this.#log.opening(to));
    } else if (this.#log.isEnd && this.#options.endUs === undefined) {
      for (const merge of this.#merges.values()) merge.end();
    }
  }

  async #acknowledged(): Promise<void> {
    while (this.#isFull() && !this.#subscriber.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What waits for a watermark does so until more is read. */
  #isFull(): boolean {
    let waiting = 0;
    for (const merge of this.#merges.values()) waiting += merge.waiting;
    return this.#inFlight - waiting >= this.#options.inFlightMax;
  }

  #takeAll(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (this.#subscriber.closed) return;
      this.#take(entry);
    }
  }

  #take(entry: LogEntry): void {
    if (entry.kind === "item") this.#takeItem(entry.item, entry.receivedUs);
    else if (entry.kind === "decision") this.#mergeOf(entry.decision.stream).control(entry);
    else this.#mergeOf(entry.stream).control(entry);
  }

  #takeItem(item: StreamItem, receivedUs: TimeUs): void {
    const wanted = itemBefore(item, this.#options.endUs);
    if (wanted === undefined || !isOf(this.#options.selected, wanted)) return;
    const delivery = { item: wanted, receivedUs, acknowledge: this.#acknowledge };
    this.#inFlight++;
    if (this.#options.accepts(delivery)) this.#mergeOf(item.stream).push(delivery);
  }

  readonly #acknowledge = (): void => {
    this.#inFlight--;
    this.#wake?.();
    this.#wake = undefined;
  };

  #mergeOf(stream: string): RecordedMerge {
    let merge = this.#merges.get(stream);
    if (merge === undefined) {
      merge = new RecordedMerge(stream, this.#options, this.#counts, (item) =>
        this.#subscriber.next(item),
      );
      this.#merges.set(stream, merge);
    }
    return merge;
  }

  #isPastEnd(): boolean {
    const { endUs } = this.#options;
    if (endUs === undefined) return false;
    // A stream that has not begun may have something to say before the end.
    return this.#log.streams.every((stream) => {
      return (this.#merges.get(stream)?.watermarkUs ?? Number.NEGATIVE_INFINITY) >= endUs;
    });
  }
}
