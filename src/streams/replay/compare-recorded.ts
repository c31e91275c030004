import type { RecordedItem } from "./recorded-item.ts";

/** Order of event time; items of equal time as {@link compareTied} has them. */
export function compareRecorded(a: RecordedItem, b: RecordedItem): number {
  return a.item.timeUs - b.item.timeUs || compareTied(a, b);
}

/** Order of items that share a time: channel priority, topic, sequence. */
export function compareTied(a: RecordedItem, b: RecordedItem): number {
  if (a.channel !== b.channel) {
    const byPriority = a.channel.priority - b.channel.priority;
    if (byPriority !== 0) return byPriority;
    if (a.channel.topic !== b.channel.topic) return a.channel.topic < b.channel.topic ? -1 : 1;
  }
  return a.item.seq - b.item.seq;
}
