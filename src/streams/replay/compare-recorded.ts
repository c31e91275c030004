import type { RecordedChannel } from "./recorded-channel.ts";
import type { RecordedItem } from "./recorded-item.ts";

/** Order of event time; items of equal time by channel, then by their sequence numbers. */
export function compareRecorded(a: RecordedItem, b: RecordedItem): number {
  return (
    a.item.timeUs - b.item.timeUs ||
    compareChannels(a.channel, b.channel) ||
    a.item.seq - b.item.seq
  );
}

/** Order of channels whose items share a time: priority, then topic. */
export function compareChannels(a: RecordedChannel, b: RecordedChannel): number {
  if (a === b) return 0;
  if (a.priority !== b.priority) return a.priority - b.priority;
  return a.topic < b.topic ? -1 : Number(a.topic > b.topic);
}
