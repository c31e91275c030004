import type { TimeUs } from "../../sensors/time.ts";
import { DurationHistogram } from "./duration-histogram.ts";

/** Items that may overtake each other: times are sorted over so many before they are compared. */
const sortedItems = 64;
/** A gap is an interval of more than so many medians. */
const gapMedians = 5;

/** The longest time between two items of a sensor, and when it began. */
export interface LongestGap {
  readonly fromUs: TimeUs;
  readonly durationUs: number;
}

/** Measures the time between the items of one sensor, in the order of their event times. */
export class IntervalMeter {
  readonly #histogram = new DurationHistogram();
  /** The latest times, in order. */
  readonly #times: TimeUs[] = [];
  #lastUs = Number.NEGATIVE_INFINITY;
  #longest: LongestGap | undefined;

  /** Takes the time of the next item of the recording. */
  add(timeUs: TimeUs): void {
    const times = this.#times;
    let at = times.length;
    while (at > 0 && times[at - 1]! > timeUs) at--;
    times.splice(at, 0, timeUs);
    if (times.length > sortedItems) this.#measure(times.shift()!);
  }

  /** Measures what is still to be measured. */
  end(): void {
    for (const timeUs of this.#times.splice(0)) this.#measure(timeUs);
  }

  get medianUs(): number {
    return this.#histogram.quantileUs(0.5);
  }

  get p99Us(): number {
    return this.#histogram.quantileUs(0.99);
  }

  /** Intervals of more than five medians. */
  get gaps(): number {
    return this.#histogram.countAbove(gapMedians * this.medianUs);
  }

  get longest(): LongestGap | undefined {
    return this.#longest;
  }

  #measure(timeUs: TimeUs): void {
    const durationUs = timeUs - this.#lastUs;
    // An item this much out of order belongs to an interval that has been measured.
    if (durationUs < 0) return;
    if (durationUs !== Number.POSITIVE_INFINITY) {
      this.#histogram.add(durationUs);
      if (durationUs > (this.#longest?.durationUs ?? 0)) {
        this.#longest = { fromUs: this.#lastUs, durationUs };
      }
    }
    this.#lastUs = timeUs;
  }
}
