import type { LogEntry, LogMessage } from "./scan/log-entry.ts";

/** By which of its times a message is ordered: when it was recorded, or the sensor's. */
export type LogOrder = "log" | "sensor";

type Batches = AsyncIterable<readonly LogEntry[]>;

/** Sorting again only after so many more have come keeps the whole at O(n log n). */
const sortAtLeast = 4096;

/** Nanoseconds. */
export function timeOf(message: LogMessage, order: LogOrder): bigint {
  return order === "log" ? message.logTime : message.publishTime;
}

/**
 * By how much a message can be behind an earlier one of the file, nanoseconds.
 *
 * @param read gives the entries of the file
 */
export async function disorderOf(batches: Batches, order: LogOrder): Promise<bigint> {
  let newest = -1n;
  let disorder = 0n;
  for await (const batch of batches) {
    for (const entry of batch) {
      if (entry.kind !== "message") continue;
      const time = timeOf(entry, order);
      if (time > newest) newest = time;
      else if (newest - time > disorder) disorder = newest - time;
    }
  }
  return disorder;
}

/**
 * The entries of one file with its messages in order of time; those of one time stay in file order.
 * Entries that are no messages come as soon as they are read. Holds back as much as `disorder`
 * ({@link disorderOf}) asks for.
 */
export async function* orderEntries(
  batches: Batches,
  order: LogOrder,
  disorder: bigint,
): AsyncGenerator<LogEntry, void, void> {
  let held: LogMessage[] = [];
  let newest = -1n;
  let sortAt = sortAtLeast;
  for await (const batch of batches) {
    for (const entry of batch) {
      if (entry.kind !== "message") {
        yield entry;
        continue;
      }
      held.push(entry);
      const time = timeOf(entry, order);
      if (time > newest) newest = time;
    }
    if (held.length < sortAt) continue;
    held.sort((a, b) => compareTimes(timeOf(a, order), timeOf(b, order)));
    // A message still to come may have this very time and belongs behind those that came before.
    const limit = newest - disorder;
    const open = held.findIndex((message) => timeOf(message, order) > limit);
    yield* held.slice(0, open);
    held = held.slice(open);
    sortAt = Math.max(sortAtLeast, 2 * held.length);
  }
  yield* held.sort((a, b) => compareTimes(timeOf(a, order), timeOf(b, order)));
}

/** For `sort`, which is stable. */
function compareTimes(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}
