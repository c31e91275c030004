import { Observable, type Subscriber } from "rxjs";
import type { Delivery, Source } from "../source.ts";
import type { Recording } from "./recording-reader.ts";

export interface ReplayOptions {
  /** `received`: as the items arrived, late ones late; `event`: in order of event time. */
  readonly order: "received" | "event";
  /** Deliveries that may be unacknowledged before reading waits. */
  readonly inFlightMax: number;
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
  { order, inFlightMax }: ReplayOptions,
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
    for (const { item, receivedUs } of batch) {
      if (subscriber.closed) return;
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
