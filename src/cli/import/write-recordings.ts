import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { createRecording } from "../../streams/record/recording-writer.ts";
import type { ImportedRecording } from "./importer.ts";

export interface WriteOptions {
  /** Existing folder or one to be made. */
  readonly out: string;
  /** Recordings to write at most. */
  readonly recordingsMax: number;
  /** Overwrite recordings that exist; they are left as they are otherwise. */
  readonly force: boolean;
  /** Stops between two items; the recording being written is removed. */
  readonly stop: AbortSignal;
  /** Called after each recording. */
  readonly progress: (written: WriteResult) => void;
}

/** What has been written. */
export interface WriteResult {
  readonly recordings: number;
  /** Recordings left as they were because they exist. */
  readonly existing: number;
  readonly items: number;
  /** Items per kind; a DVS packet is one item and many `dvsEvents`. */
  readonly itemsByKind: Readonly<Record<string, number>>;
  readonly dvsEvents: number;
  /** From the first to the last item's arrival, summed over recordings. */
  readonly seconds: number;
}

/** Writes each recording to `<out>/<name>.mcap`. Throws INTERRUPTED when stopped. */
export async function writeRecordings(
  recordings: AsyncIterable<ImportedRecording>,
  options: WriteOptions,
): Promise<WriteResult> {
  await mkdir(options.out, { recursive: true });
  let result: WriteResult = {
    recordings: 0,
    existing: 0,
    items: 0,
    itemsByKind: {},
    dvsEvents: 0,
    seconds: 0,
  };
  for await (const recording of recordings) {
    if (result.recordings + result.existing >= options.recordingsMax) break;
    const path = join(options.out, `${recording.name}.mcap`);
    if (!options.force && (await exists(path))) {
      result = { ...result, existing: result.existing + 1 };
    } else {
      result = await writeOne(path, recording, options.stop, result);
    }
    options.progress(result);
  }
  return result;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function writeOne(
  path: string,
  recording: ImportedRecording,
  stop: AbortSignal,
  before: WriteResult,
): Promise<WriteResult> {
  const items = await recording.items();
  const writer = await createRecording(path, { metadata: recording.metadata });
  const itemsByKind: Record<string, number> = { ...before.itemsByKind };
  let dvsEvents = before.dvsEvents;
  let lastUs: TimeUs = 0;
  try {
    for (const { item, receivedUs } of items) {
      if (stop.aborted) throw new PolyphaseError("INTERRUPTED", "Import interrupted");
      await writer.write(item, receivedUs);
      itemsByKind[item.kind] = (itemsByKind[item.kind] ?? 0) + 1;
      if (item.kind === "dvs") dvsEvents += item.packet.count;
      lastUs = Math.max(lastUs, receivedUs);
    }
    await writer.close();
  } catch (failure) {
    await writer.abort();
    throw failure;
  }
  return {
    ...before,
    recordings: before.recordings + 1,
    items: before.items + items.length,
    itemsByKind,
    dvsEvents,
    seconds: before.seconds + lastUs / 1e6,
  };
}
