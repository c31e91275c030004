import type { SensorStatus } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";

const live = 0;
const idle = 1;
const left = 2;

/**
 * A stream's progress in event time: the least, over the sensors it waits for, of (latest event
 * time − allowed lateness). It never goes back. Sensors are named by their index.
 */
export class Watermark {
  readonly #latenessUs: Float64Array;
  readonly #latestUs: Float64Array;
  readonly #status: Uint8Array;
  #valueUs: TimeUs = Number.NEGATIVE_INFINITY;

  /** @param sensors in order of index; all are waited for but those that have not joined */
  constructor(sensors: readonly { readonly latenessUs: number; readonly joined?: boolean }[]) {
    this.#latenessUs = Float64Array.from(sensors, ({ latenessUs }) => latenessUs);
    this.#latestUs = new Float64Array(sensors.length).fill(Number.NEGATIVE_INFINITY);
    this.#status = Uint8Array.from(sensors, ({ joined }) => (joined === false ? left : live));
  }

  /** No event before it is waited for. */
  get valueUs(): TimeUs {
    return this.#valueUs;
  }

  /** Time of the sensor's latest event, −∞ before the first. */
  latestUs(sensor: number): TimeUs {
    return this.#latestUs[sensor]!;
  }

  /** Latest event of the sensors that are waited for, but for one of them; −∞ if there is none. */
  latestOfOthersUs(sensor: number): TimeUs {
    let latestUs = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.#latestUs.length; i++) {
      if (i !== sensor && this.#status[i] === live) {
        latestUs = Math.max(latestUs, this.#latestUs[i]!);
      }
    }
    return latestUs;
  }

  /** True if the sensor is waited for. */
  isWaitedFor(sensor: number): boolean {
    return this.#status[sensor] === live;
  }

  /** An event of a sensor has come. One that is in time wakes an idle sensor. */
  observe(sensor: number, timeUs: TimeUs): void {
    if (this.#status[sensor] === idle) {
      if (timeUs < this.#valueUs) return;
      this.#status[sensor] = live;
    }
    if (!(timeUs > this.#latestUs[sensor]!)) return;
    this.#latestUs[sensor] = timeUs;
    this.#advance();
  }

  /**
   * A sensor is given up, leaves or joins.
   *
   * @returns false if no sensor is waited for any more
   */
  setStatus(sensor: number, status: SensorStatus["status"]): boolean {
    if (status === "joined") this.#status[sensor] = live;
    else this.#status[sensor] = status === "left" ? left : idle;
    this.#advance();
    return this.#status.includes(live);
  }

  /** Ends all time before `timeUs`, whoever is still waited for. */
  raiseTo(timeUs: TimeUs): void {
    this.#valueUs = Math.max(this.#valueUs, timeUs);
  }

  #advance(): void {
    let leastUs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#latestUs.length; i++) {
      if (this.#status[i] === live) {
        leastUs = Math.min(leastUs, this.#latestUs[i]! - this.#latenessUs[i]!);
      }
    }
    if (leastUs !== Number.POSITIVE_INFINITY) this.raiseTo(leastUs);
  }
}
