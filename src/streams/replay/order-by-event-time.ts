import type { TimeUs } from "../../sensors/time.ts";
import { compareRecorded } from "./compare-recorded.ts";
import type { RecordedItem } from "./recorded-item.ts";

type Batches = AsyncGenerator<readonly RecordedItem[], void, void>;

/**
 * The items of `read()` in the order of event time, ties as in {@link compareRecorded}. Reads twice:
 * first to learn by how much an item can be late, then holding back only that much.
 */
export async function* inEventOrder(read: () => Batches, batchItems: number): Batches {
  const latenessUs = await largestLateness(read());
  let held: RecordedItem[] = [];
  let newestUs = Number.NEGATIVE_INFINITY;
  let sortAt = 4 * batchItems;
  for await (const batch of read()) {
    for (const recorded of batch) {
      held.push(recorded);
      newestUs = Math.max(newestUs, recorded.item.timeUs);
    }
    if (held.length < sortAt) continue;
    held.sort(compareRecorded);
    // Nothing still to come is earlier than this; equal times may still get a smaller tie.
    const settled = held.findIndex(({ item }) => item.timeUs >= newestUs - latenessUs);
    const ready = held.slice(0, settled);
    held = held.slice(settled);
    // Sorting again only after the rest has doubled keeps the whole at O(n log n).
    sortAt = Math.max(4 * batchItems, 2 * held.length);
    yield* inBatches(ready, batchItems);
  }
  yield* inBatches(held.sort(compareRecorded), batchItems);
}

async function largestLateness(batches: Batches): Promise<TimeUs> {
  let newestUs = Number.NEGATIVE_INFINITY;
  let latenessUs = 0;
  for await (const batch of batches) {
    for (const { item } of batch) {
      newestUs = Math.max(newestUs, item.timeUs);
      latenessUs = Math.max(latenessUs, newestUs - item.timeUs);
    }
  }
  return latenessUs;
}

function* inBatches(
  items: readonly RecordedItem[],
  batchItems: number,
): Generator<readonly RecordedItem[], void, void> {
  for (let from = 0; from < items.length; from += batchItems) {
    yield items.slice(from, from + batchItems);
  }
}
