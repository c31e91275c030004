import { Observable, type OperatorFunction } from "rxjs";
import type { EventCounts } from "../../telemetry/event-counts.ts";
import type { Delivery } from "../source.ts";
import type { MergeOptions } from "./merge-options.ts";
import type { MergedItem } from "./merged-item.ts";
import { StreamMerge } from "./stream-merge.ts";

/**
 * Puts the items of every stream in event-time order; streams are independent of each other. At the
 * end of input all that waits goes out, stream by stream in order of first appearance.
 *
 * @param options of a stream, asked for at its first item
 */
export function mergeByTime(
  options: (stream: string) => MergeOptions,
  counts: EventCounts,
): OperatorFunction<Delivery, MergedItem> {
  return (deliveries) =>
    new Observable((subscriber) => {
      const merges = new Map<string, StreamMerge>();
      const emit = (item: MergedItem): void => subscriber.next(item);
      const mergeOf = (stream: string): StreamMerge => {
        let merge = merges.get(stream);
        if (merge === undefined) {
          merge = new StreamMerge(stream, options(stream), counts, emit);
          merges.set(stream, merge);
        }
        return merge;
      };
      return deliveries.subscribe({
        next: (delivery) => mergeOf(delivery.item.stream).push(delivery),
        error: (error) => subscriber.error(error),
        complete: () => {
          for (const merge of merges.values()) merge.end();
          subscriber.complete();
        },
      });
    });
}
