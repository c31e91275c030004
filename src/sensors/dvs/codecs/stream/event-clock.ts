import type { AnomalyCounts } from "./anomalies.ts";
import type { Discontinuity, PacketBuilder } from "./packet-builder.ts";

/** A forward step of the sensor clock beyond this is a discontinuity, µs. */
export const regularStepUsMax = 1_000_000;
/** A backward step up to this is jitter, beyond it the sensor clock was reset, µs. */
const jitterUsMax = 1_000_000;

/**
 * Turns readings of a sensor clock of few bits into event times that never decrease.
 *
 * A drop by half the clock's range or more is a wrap. A smaller drop is jitter up to a second (the
 * reading is raised to the last event time and counted as `time-regression`), else a reset (time
 * goes on from the last event time). A wrap that lost words and a clock that restarted near zero
 * look alike; either way the step is marked if it is longer than a second.
 */
export class EventClock {
  /** Time of the last event given out, µs. */
  lastUs = 0;
  /** Set by `unwrap` where the reading does not follow from the one before. */
  discontinuity: Discontinuity | undefined;
  readonly #anomalies: AnomalyCounts;
  readonly #rangeUs: number;
  #offsetUs = 0;
  #latestRawUs = Number.NaN;
  #wrapped = false;

  /** @param rangeUs the clock starts again at zero after this; `Infinity` if it never does */
  constructor(anomalies: AnomalyCounts, rangeUs: number) {
    this.#anomalies = anomalies;
    this.#rangeUs = rangeUs;
  }

  /** True once a reading has been taken. */
  get isSet(): boolean {
    return !Number.isNaN(this.#latestRawUs);
  }

  /** Unwrapped time of a reading, µs; less than `lastUs` if the clock ran backward a little. */
  unwrap(rawUs: number): number {
    const stepUs = rawUs - this.#latestRawUs;
    if (stepUs < 0) return this.#unwrapBackward(rawUs, stepUs);
    if (stepUs > regularStepUsMax) return this.#unwrapJump(rawUs, stepUs);
    return this.advance(rawUs);
  }

  /** Event time of an event that carries the reading `rawUs` itself: unwrapped and in order. */
  stamp(rawUs: number): number {
    const timeUs = this.unwrap(rawUs);
    if (timeUs < this.lastUs) {
      this.#anomalies["time-regression"]++;
      return this.lastUs;
    }
    this.lastUs = timeUs;
    return timeUs;
  }

  /** The reading that the next one is compared with, µs; NaN before the first. */
  get latestRawUs(): number {
    return this.#latestRawUs;
  }

  /** Unwrapped time minus reading, µs. */
  get offsetUs(): number {
    return this.#offsetUs;
  }

  /**
   * Takes a reading to which the clock went in steps of 0 … `regularStepUsMax` µs from
   * `latestRawUs`.
   *
   * @returns its unwrapped time, µs
   */
  advance(rawUs: number): number {
    this.#latestRawUs = rawUs;
    return rawUs + this.#offsetUs;
  }

  /** Ends the packet under construction if the latest reading does not follow from those before. */
  cutIfDiscontinuous(packets: PacketBuilder): void {
    if (this.discontinuity === undefined) return;
    packets.cut(this.discontinuity);
    this.discontinuity = undefined;
  }

  #unwrapBackward(rawUs: number, stepUs: number): number {
    if (-stepUs >= this.#rangeUs / 2) {
      this.#offsetUs += this.#rangeUs;
      this.#wrapped = true;
      if (stepUs + this.#rangeUs > regularStepUsMax) this.#mark("jump");
    } else if (-stepUs > jitterUsMax) {
      this.#offsetUs = this.lastUs - rawUs;
      this.#mark("reset");
    } else {
      return rawUs + this.#offsetUs;
    }
    this.#latestRawUs = rawUs;
    return rawUs + this.#offsetUs;
  }

  #unwrapJump(rawUs: number, stepUs: number): number {
    // A reading from just before the wrap that comes just after it.
    if (this.#wrapped && this.#rangeUs - stepUs <= jitterUsMax) {
      return rawUs + this.#offsetUs - this.#rangeUs;
    }
    this.#mark("jump");
    this.#latestRawUs = rawUs;
    return rawUs + this.#offsetUs;
  }

  #mark(discontinuity: Discontinuity): void {
    this.discontinuity = discontinuity;
    this.#anomalies[discontinuity === "jump" ? "time-jump" : "time-reset"]++;
  }
}
