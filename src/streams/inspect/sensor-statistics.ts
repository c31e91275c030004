import { itemLength, timeAt } from "../../sensors/item-events.ts";
import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { DuplicateMemory } from "../merge/duplicate-memory.ts";
import { DurationHistogram } from "./duration-histogram.ts";
import { IntervalMeter, type LongestGap } from "./interval-meter.ts";

/** As the merge of a pipeline judges, see docs/EVENT-TIME.md. */
const duplicateItemsMax = 1024;
const futureUsMax = 5 * 60 * 1_000_000;
const backwardUsMin = 1_000_000;
/** Recommended latenesses are rounded up to this. */
const latenessStepUs = 100;

/** How far items are behind, microseconds. */
export interface LatenessQuantiles {
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

/** What one sensor of a recording did, in the order of its log. */
export interface SensorStatistics {
  readonly items: number;
  /** Every event of a DVS packet counts. */
  readonly events: number;
  readonly firstUs: TimeUs;
  readonly lastUs: TimeUs;
  /** Events per second between the first and the last. */
  readonly rate: number;
  /** Time between an item and the next in event time. */
  readonly interval: {
    readonly meanUs: number;
    readonly medianUs: number;
    readonly p99Us: number;
  };
  /** Intervals of more than five medians. */
  readonly gaps: { readonly count: number; readonly longest?: LongestGap };
  /** Items behind an earlier one of the log, and by how much at most. */
  readonly regressions: { readonly count: number; readonly maxUs: number };
  /** Sequence numbers that nothing has. */
  readonly missing: number;
  readonly duplicates: number;
  readonly reboots: number;
  /** Items that a merge drops as from the future, or as from a clock that was set back. */
  readonly future: number;
  readonly backwardJumps: number;
  /** Behind the newest event of the same sensor, and of the stream. */
  readonly lateness: LatenessQuantiles;
  readonly streamLateness: LatenessQuantiles;
  /** Lateness to allow this sensor, so that none of its events here is late. */
  readonly recommendedLatenessUs: number;
}

/** The newest event of a stream so far. */
export interface StreamProgress {
  newestUs: TimeUs;
}

/** Measures one sensor of a recording in constant memory. */
export class SensorMeter {
  readonly #stream: StreamProgress;
  readonly #interval = new IntervalMeter();
  readonly #lateness = new DurationHistogram();
  readonly #streamLateness = new DurationHistogram();
  readonly #duplicateMemory = new DuplicateMemory(duplicateItemsMax);
  #items = 0;
  #events = 0;
  #firstUs: TimeUs = Number.POSITIVE_INFINITY;
  #lastUs: TimeUs = Number.NEGATIVE_INFINITY;
  /** Latest time that is believed. */
  #newestUs: TimeUs = Number.NEGATIVE_INFINITY;
  #regressions = 0;
  #regressionMaxUs = 0;
  #duplicates = 0;
  #reboots = 0;
  #future = 0;
  #backwardJumps = 0;
  /** Of the numbers since the last reboot: lowest, highest, and how many. */
  #epoch: { lowest: number; highest: number; count: number } | undefined;
  #missing = 0;

  /** @param stream shared by all sensors of the stream */
  constructor(stream: StreamProgress) {
    this.#stream = stream;
  }

  add(item: SensorEvent, receivedUs: TimeUs): void {
    const events = itemLength(item);
    const lastUs = timeAt(item, events - 1);
    this.#items++;
    this.#events += events;
    if (this.#duplicateMemory.hasSeen(item.seq, item.timeUs)) {
      this.#duplicates++;
      return;
    }
    this.#firstUs = Math.min(this.#firstUs, item.timeUs);
    this.#lastUs = Math.max(this.#lastUs, lastUs);
    if (lastUs > receivedUs + futureUsMax) {
      this.#future++;
      return;
    }
    const wentBack = this.#followNumber(item) && lastUs < this.#newestUs - backwardUsMin;
    this.#noteRegression(item.timeUs);
    if (wentBack) {
      this.#backwardJumps++;
      return;
    }
    this.#interval.add(item.timeUs);
    this.#noteLateness(item.timeUs);
    this.#newestUs = Math.max(this.#newestUs, lastUs);
    this.#stream.newestUs = Math.max(this.#stream.newestUs, lastUs);
  }

  /** What has been measured; nothing may be added any more. */
  end(): SensorStatistics {
    this.#interval.end();
    this.#endEpoch();
    const spanUs = Math.max(0, this.#lastUs - this.#firstUs);
    const { medianUs, p99Us, gaps, longest } = this.#interval;
    const different = this.#items - this.#duplicates;
    return {
      items: this.#items,
      events: this.#events,
      firstUs: this.#firstUs,
      lastUs: this.#lastUs,
      rate: spanUs > 0 ? ((this.#events - 1) * 1e6) / spanUs : 0,
      interval: { meanUs: different > 1 ? spanUs / (different - 1) : 0, medianUs, p99Us },
      gaps: { count: gaps, ...(longest === undefined ? {} : { longest }) },
      regressions: { count: this.#regressions, maxUs: this.#regressionMaxUs },
      missing: this.#missing,
      duplicates: this.#duplicates,
      reboots: this.#reboots,
      future: this.#future,
      backwardJumps: this.#backwardJumps,
      lateness: quantilesOf(this.#lateness),
      streamLateness: quantilesOf(this.#streamLateness),
      recommendedLatenessUs: Math.ceil(this.#lateness.maxUs / latenessStepUs) * latenessStepUs,
    };
  }

  /** @returns true if the number is higher than all since the last reboot */
  #followNumber({ seq, timeUs }: SensorEvent): boolean {
    const epoch = this.#epoch;
    const isNewer = epoch === undefined || seq > epoch.highest;
    if (epoch !== undefined && seq < epoch.highest && timeUs > this.#newestUs) {
      this.#reboots++;
      this.#endEpoch();
    }
    if (this.#epoch === undefined) this.#epoch = { lowest: seq, highest: seq, count: 1 };
    else {
      this.#epoch.lowest = Math.min(this.#epoch.lowest, seq);
      this.#epoch.highest = Math.max(this.#epoch.highest, seq);
      this.#epoch.count++;
    }
    return isNewer;
  }

  #endEpoch(): void {
    if (this.#epoch === undefined) return;
    const { lowest, highest, count } = this.#epoch;
    // A sensor that does not count repeats its number and misses none.
    this.#missing += Math.max(0, highest - lowest + 1 - count);
    this.#epoch = undefined;
  }

  #noteRegression(timeUs: TimeUs): void {
    const behindUs = this.#newestUs - timeUs;
    if (!(behindUs > 0)) return;
    this.#regressions++;
    this.#regressionMaxUs = Math.max(this.#regressionMaxUs, behindUs);
  }

  #noteLateness(timeUs: TimeUs): void {
    this.#lateness.add(behind(this.#newestUs, timeUs));
    this.#streamLateness.add(behind(this.#stream.newestUs, timeUs));
  }
}

/** 0 for what is the newest, and before anything is. */
function behind(newestUs: TimeUs, timeUs: TimeUs): number {
  return newestUs > timeUs ? newestUs - timeUs : 0;
}

function quantilesOf(histogram: DurationHistogram): LatenessQuantiles {
  return {
    p50Us: histogram.quantileUs(0.5),
    p90Us: histogram.quantileUs(0.9),
    p99Us: histogram.quantileUs(0.99),
    p999Us: histogram.quantileUs(0.999),
    maxUs: histogram.maxUs,
  };
}
