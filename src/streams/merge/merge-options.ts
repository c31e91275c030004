import type { DropListener } from "../dropped-events.ts";

/** A sensor whose events a stream waits for. */
export interface MergedSensor {
  readonly name: string;
  /** How much earlier than the sensor's latest event a later one may still be, µs. */
  readonly latenessUs: number;
  /** False for a sensor that is waited for only from its `joined` status on. Default true. */
  readonly joined?: boolean;
}

export interface MergeOptions {
  /** In order of priority inside a tick. Events of any other sensor are dropped and counted. */
  readonly sensors: readonly MergedSensor[];
  /** Items that may wait; beyond it the earliest goes on without the sensors that lag behind. */
  readonly waitingMax: number;
  /** Bytes that may wait, likewise. Default 64 MiB. */
  readonly waitingBytesMax?: number;
  /** What becomes of late events: dropped and counted (default), or passed on as late. */
  readonly late?: "drop" | "pass";
  /** How far ahead of its receive time, or of the other sensors, an event may be. Default 5 min. */
  readonly futureUsMax?: number;
  /**
   * A new event this far behind its sensor's latest is no disorder: the sensor's clock has been set
   * back. Default 1 s; the sensor's lateness where that is longer.
   */
  readonly backwardUsMin?: number;
  /** Items per sensor that are remembered to find duplicates. Default 1024. */
  readonly duplicateItemsMax?: number;
  /** Whether the watermark, whenever it has moved, and statuses are passed on too. Default false. */
  readonly progress?: boolean;
  /** Hears of every event that is dropped here. */
  readonly onDrop?: DropListener;
}
