import { Observable, type Subscriber } from "rxjs";
import type { TimeUs } from "../../sensors/time.ts";
import type { Delivery, Source } from "../source.ts";
import type { Recording } from "./recording-reader.ts";
import { isOf, itemBefore } from "./select-items.ts";

export interface ReplayOptions {
  /** `received`: as the items arrived, late ones late; `event`: in order of event time. */
  readonly order: "received" | "event";
  /** Deliveries that may be unacknowledged before reading waits. */
  readonly inFlightMax: number;
  /** The sensors that are read. Default: all. */
  readonly sensors?: ReadonlySet<string>;
  /** Events from here on are not read. Default: everything is. */
  readonly endUs?: TimeUs;
}

/** A recording as a source, as fast as the pipeline takes it. */
export function replaySource(recording: Recording, options: ReplayOptions): Source {
  return {
    open: () =>
      new Observable((subscriber) => {
        replay(recording, options, subscriber).then(
          () => subscriber.complete(),
          (error) => subscriber.error(error),
        );
      }),
  };
}

async function replay(
  recording: Recording,
  { order, inFlightMax, sensors, endUs }: ReplayOptions,
  subscriber: Subscriber<Delivery>,
): Promise<void> {
  let inFlight = 0;
  let wake: (() => void) | undefined;
  const acknowledge = (): void => {
    inFlight--;
    wake?.();
    wake = undefined;
  };
  // An unsubscribed source must not wait for acknowledgements that will never come.
  subscriber.add(() => wake?.());
  for await (const batch of recording.items(order)) {
    for (const { item: whole, receivedUs } of batch) {
      if (subscriber.closed) return;
      const item = itemBefore(whole, endUs);
      if (item === undefined || !isOf(sensors, item)) continue;
      inFlight++;
      subscriber.next({ item, receivedUs, acknowledge });
      while (inFlight >= inFlightMax && !subscriber.closed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
}
