import {
  asyncScheduler,
  Observable,
  type OperatorFunction,
  type SchedulerLike,
  Subscription,
} from "rxjs";
import type { SensorStatus } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { Delivery } from "../source.ts";

/** A sensor that may fall silent. */
export interface TimedSensor {
  readonly name: string;
  /** Processing time without progress after which the sensor is given up, µs. */
  readonly idleUs: number;
}

/** A timer that is late by more than this share of the idle timeout says nothing of the sensor. */
const standstill = 0.1;

/** What is known of one sensor of one stream. */
interface Watched extends TimedSensor {
  readonly stream: WatchedStream;
  /** Time of its last event, and when it came. */
  eventUs: TimeUs;
  progressUs: TimeUs;
  isIdle: boolean;
  /** Statuses emitted. */
  statuses: number;
}

interface WatchedStream {
  readonly name: string;
  readonly sensors: ReadonlyMap<string, Watched>;
  latestUs: TimeUs;
}

/**
 * Adds a status `idle` to the deliveries when a sensor has made no progress in event time for its
 * idle timeout, from its stream's first item on. This is the one place where processing time decides
 * about event time; the decision is an item like any other, so that a recording holds it.
 *
 * @param sensors of a stream, asked for at its first item
 */
export function detectIdle(
  sensors: (stream: string) => readonly TimedSensor[],
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<Delivery, Delivery> {
  return (deliveries) =>
    new Observable((subscriber) => {
      const detector = new IdleDetector(sensors, scheduler, (idle) => subscriber.next(idle));
      subscriber.add(detector.timers);
      subscriber.add(
        deliveries.subscribe({
          next: (delivery) => {
            detector.observe(delivery);
            subscriber.next(delivery);
          },
          error: (error) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      );
    });
}

class IdleDetector {
  readonly timers: Subscription = new Subscription();
  readonly #sensors: (stream: string) => readonly TimedSensor[];
  readonly #scheduler: SchedulerLike;
  readonly #emit: (idle: Delivery) => void;
  readonly #streams = new Map<string, WatchedStream>();

  constructor(
    sensors: (stream: string) => readonly TimedSensor[],
    scheduler: SchedulerLike,
    emit: (idle: Delivery) => void,
  ) {
    this.#sensors = sensors;
    this.#scheduler = scheduler;
    this.#emit = emit;
  }

  observe({ item }: Delivery): void {
    const stream = this.#streams.get(item.stream) ?? this.#watch(item.stream);
    stream.latestUs = Math.max(stream.latestUs, item.timeUs);
    if (item.kind === "marker" || item.kind === "status") return;
    const sensor = stream.sensors.get(item.sensor);
    if (sensor === undefined) return;
    const isProgress = item.timeUs > sensor.eventUs;
    sensor.eventUs = item.timeUs;
    if (!isProgress) return;
    sensor.progressUs = this.#nowUs();
    if (sensor.isIdle) this.#checkAfter(sensor, sensor.idleUs);
    sensor.isIdle = false;
  }

  #watch(name: string): WatchedStream {
    const watched = new Map<string, Watched>();
    const stream: WatchedStream = { name, sensors: watched, latestUs: 0 };
    this.#streams.set(name, stream);
    for (const each of this.#sensors(name)) {
      const times = { eventUs: Number.NEGATIVE_INFINITY, progressUs: this.#nowUs() };
      const sensor = { ...each, ...times, stream, isIdle: false, statuses: 0 };
      watched.set(each.name, sensor);
      this.#checkAfter(sensor, sensor.idleUs);
    }
    return stream;
  }

  #checkAfter(sensor: Watched, afterUs: number): void {
    const dueUs = this.#nowUs() + afterUs;
    const timer = this.#scheduler.schedule(() => {
      this.timers.remove(timer);
      this.#check(sensor, dueUs);
    }, afterUs / 1000);
    this.timers.add(timer);
  }

  #check(sensor: Watched, dueUs: TimeUs): void {
    const nowUs = this.#nowUs();
    const leftUs = sensor.progressUs + sensor.idleUs - nowUs;
    const lateUs = nowUs - dueUs;
    if (leftUs > 0) {
      this.#checkAfter(sensor, leftUs);
    } else if (lateUs > sensor.idleUs * standstill) {
      // It was this process that stood still; what has come meanwhile is to be read first.
      this.#checkAfter(sensor, Math.min(lateUs, sensor.idleUs));
    } else {
      this.#giveUp(sensor, nowUs);
    }
  }

  #giveUp(sensor: Watched, nowUs: TimeUs): void {
    sensor.isIdle = true;
    this.#emit(idleDelivery(sensor, nowUs));
  }

  #nowUs(): TimeUs {
    return Math.round(this.#scheduler.now() * 1000);
  }
}

function idleDelivery(sensor: Watched, receivedUs: TimeUs): Delivery {
  const { name, stream } = sensor;
  const item: SensorStatus = {
    kind: "status",
    stream: stream.name,
    sensor: name,
    timeUs: stream.latestUs,
    seq: sensor.statuses++,
    status: "idle",
  };
  return { item, receivedUs, acknowledge: ignore };
}

function ignore(): void {
  // Nobody but this operator has sent it.
}
