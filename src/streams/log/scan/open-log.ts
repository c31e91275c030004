import type { FileHandle } from "node:fs/promises";
import type { McapTypes } from "@mcap/core";
import { badRecording, limitedHandlers, openFile } from "../../replay/open-mcap.ts";
import { ByteWindow } from "./byte-window.ts";
import type { LogEntry, Loss } from "./log-entry.ts";
import { type LogSummary, readLogSummary } from "./log-summary.ts";
import { scanLog } from "./scan-log.ts";

/** An MCAP file open for reading from front to back. */
export interface Log {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly handlers: McapTypes.DecompressHandlers;
  /** The file's own, or why it has none that can be believed. */
  readonly summary: LogSummary | string;
  /** A reader of its own: several may read at once. */
  readonly window: () => ByteWindow;
  readonly close: () => Promise<void>;
}

/** Opens the file at `path`, whatever is in it. Throws FILE_NOT_FOUND. */
export async function openLog(path: string): Promise<Log> {
  const file = await openFile(path);
  try {
    return await describeLog(path, file);
  } catch (failure) {
    await file.close();
    throw failure;
  }
}

async function describeLog(path: string, file: FileHandle): Promise<Log> {
  const { size } = await file.stat();
  const window = (): ByteWindow => new ByteWindow(file, size);
  return {
    path,
    size,
    window,
    handlers: await limitedHandlers(),
    summary: await readLogSummary(window()),
    close: () => file.close(),
  };
}

/**
 * All entries of an undamaged file in file order, in batches.
 *
 * @param onProgress hears how far the reading is, in bytes
 * @throws {PolyphaseError} BAD_RECORDING at the first damage, with the place
 */
export function readLog(
  log: Log,
  onProgress?: (bytes: number) => void,
): AsyncGenerator<readonly LogEntry[], void, void> {
  return scanLog(log.window(), {
    handlers: log.handlers,
    summary: log.summary,
    hasChunks: typeof log.summary === "string" || log.summary.hasChunks,
    onLoss: (loss) => {
      // Other programs may add records of their own; there is no place for them in what we write.
      if (loss.reason !== "unknown-record") throw damaged(log, loss);
    },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

function damaged({ path }: Log, { from, detail }: Loss): Error {
  const hint = `\`polyphase recover\` saves what is whole`;
  return badRecording(path, `at byte ${from}: ${detail} (${hint})`);
}
