import { Observable, type OperatorFunction } from "rxjs";
import type { Random } from "../../sensors/random.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { Delivery } from "../source.ts";

/**
 * Lets deliveries arrive 0 … `delayUs` later than they were recorded, so that they overtake each
 * other as they do on a network. A function of the recording and the seed: no clock has a part in it.
 *
 * @param random decides how much later, uniformly
 */
export function delayAtRandom(
  delayUs: number,
  random: Random,
): OperatorFunction<Delivery, Delivery> {
  return (deliveries) =>
    new Observable((subscriber) => {
      const travelling: Arrival[] = [];
      const arriveUntil = (timeUs: TimeUs): void => {
        while (travelling.length > 0 && travelling[0]!.receivedUs <= timeUs) {
          subscriber.next(travelling.shift()!);
        }
      };
      return deliveries.subscribe({
        next: (delivery) => {
          const sentUs = delivery.receivedUs ?? delivery.item.timeUs;
          const receivedUs = sentUs + Math.floor(random.uniform() * (delayUs + 1));
          const place = travelling.findLastIndex((other) => other.receivedUs <= receivedUs) + 1;
          travelling.splice(place, 0, { ...delivery, receivedUs });
          // What is still to come was sent no earlier, and so it cannot arrive before this.
          arriveUntil(sentUs - 1);
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          arriveUntil(Number.POSITIVE_INFINITY);
          subscriber.complete();
        },
      });
    });
}

interface Arrival extends Delivery {
  readonly receivedUs: TimeUs;
}
