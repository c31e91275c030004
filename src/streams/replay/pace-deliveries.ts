import {
  asyncScheduler,
  concatMap,
  defer,
  identity,
  map,
  type OperatorFunction,
  of,
  type SchedulerLike,
  timer,
} from "rxjs";
import type { Delivery } from "../source.ts";

/**
 * Holds deliveries back until as much time has gone by as when they were recorded, divided by
 * `rate`. Those without a receive time go at once, in their turn. The source's limit of deliveries
 * in flight bounds what is held.
 *
 * @param rate times real time; `max`: nothing is held back
 */
export function paceDeliveries(
  rate: number | "max",
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<Delivery, Delivery> {
  if (rate === "max") return identity;
  return (deliveries) =>
    defer(() => {
      let start: { readonly receivedUs: number; readonly atMs: number } | undefined;
      const waitMs = ({ receivedUs }: Delivery): number => {
        if (receivedUs === undefined) return 0;
        start ??= { receivedUs, atMs: scheduler.now() };
        return start.atMs + (receivedUs - start.receivedUs) / 1000 / rate - scheduler.now();
      };
      return deliveries.pipe(
        concatMap((delivery) => {
          const ms = waitMs(delivery);
          return ms <= 0 ? of(delivery) : timer(ms, scheduler).pipe(map(() => delivery));
        }),
      );
    });
}
