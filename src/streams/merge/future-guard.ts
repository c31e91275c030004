import type { TimeUs } from "../../sensors/time.ts";

/**
 * Refuses events that are too far ahead: one wrong time stamp would move its sensor's latest time
 * there, and everything after it would be late.
 *
 * Ahead of what: of the receive time where it is known, else of the other sensors. Without receive
 * times a stream that resumes after a long pause looks like a sensor that runs ahead; the second
 * sensor to say so is believed.
 */
export class FutureGuard {
  readonly #aheadUsMax: number;
  /** Time and sensor of the last refusal. */
  #refusedUs = Number.NaN;
  #refusedSensor = -1;

  constructor(aheadUsMax: number) {
    this.#aheadUsMax = aheadUsMax;
  }

  /**
   * @param receivedUs processing time of arrival
   * @param othersUs latest event of the other sensors, −∞ if there is none
   */
  refuses(
    sensor: number,
    timeUs: TimeUs,
    receivedUs: TimeUs | undefined,
    othersUs: TimeUs,
  ): boolean {
    const referenceUs = receivedUs ?? othersUs;
    if (referenceUs === Number.NEGATIVE_INFINITY) return false;
    if (timeUs <= referenceUs + this.#aheadUsMax) return false;
    if (receivedUs === undefined && this.#confirmedBy(sensor, timeUs)) return false;
    this.#refusedUs = timeUs;
    this.#refusedSensor = sensor;
    return true;
  }

  #confirmedBy(sensor: number, timeUs: TimeUs): boolean {
    return sensor !== this.#refusedSensor && Math.abs(timeUs - this.#refusedUs) <= this.#aheadUsMax;
  }
}
