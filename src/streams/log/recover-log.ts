import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { LogWriter, type LogWriterOptions } from "./log-writer.ts";
import { LogDefinitions } from "./scan/log-definitions.ts";
import type { Loss } from "./scan/log-entry.ts";
import { type Log, openLog } from "./scan/open-log.ts";
import { scanLog } from "./scan/scan-log.ts";

/** What was saved of a file and what was not. */
export interface RecoveryReport {
  /** Bytes of the file. */
  readonly bytes: number;
  readonly recoveredMessages: number;
  /** Messages that the file's own statistics tell of; undefined where they are lost too. */
  readonly statedMessages: number | undefined;
  readonly losses: readonly Loss[];
}

export interface RecoverOptions extends Omit<LogWriterOptions, "profile"> {
  /** Stops between two chunks; nothing is left of the output then. */
  readonly stop?: AbortSignal;
  readonly onProgress?: (bytes: number, ofBytes: number) => void;
}

/**
 * Writes all of `path` that is whole to `outPath`, as a new indexed file. A message comes out if its
 * chunk is intact and anything intact describes its channel; nothing else does. Writes no file where
 * nothing could be saved.
 *
 * @throws {PolyphaseError} FILE_NOT_FOUND; FAILED if the output cannot be written; INTERRUPTED
 */
export async function recoverLog(
  path: string,
  outPath: string,
  options: RecoverOptions = {},
): Promise<RecoveryReport> {
  const log = await openLog(path);
  try {
    return await recover(log, outPath, options);
  } finally {
    await log.close();
  }
}

async function recover(
  log: Log,
  outPath: string,
  options: RecoverOptions,
): Promise<RecoveryReport> {
  const { summary, size } = log;
  const { onProgress } = options;
  const known =
    typeof summary === "string"
      ? await surveyLog(log, options)
      : { definitions: summary.definitions, hasChunks: summary.hasChunks };
  const losses: Loss[] = [];
  const entries = scanLog(log.window(), {
    ...known,
    handlers: log.handlers,
    summary,
    onLoss: (loss) => losses.push(loss),
    onProgress: (bytes) => onProgress?.(bytes, size),
  });
  const writer = await LogWriter.create(outPath, { ...options, profile: await profileOf(log) });
  try {
    for (const channel of known.definitions.channels) {
      await writer.write({ kind: "channel", channel });
    }
    for await (const batch of entries) {
      stopIfTold(options.stop);
      for (const entry of batch) await writer.write(entry);
    }
  } catch (failure) {
    await writer.abort();
    throw failure;
  }
  const { messages } = writer;
  if (messages === 0 && losses.length > 0) await writer.abort();
  else await writer.close();
  const statedMessages = typeof summary === "string" ? undefined : summary.messageCount;
  return { bytes: size, recoveredMessages: messages, statedMessages, losses };
}

function stopIfTold(stop: AbortSignal | undefined): void {
  if (stop?.aborted === true) {
    throw new PolyphaseError("INTERRUPTED", "Interrupted: nothing was written");
  }
}

/** A first look at a file without a summary: which channels there are, and whether there are chunks. */
async function surveyLog(
  log: Log,
  { stop }: RecoverOptions,
): Promise<{ readonly definitions: LogDefinitions; readonly hasChunks: boolean }> {
  const definitions = new LogDefinitions();
  let hasChunks = false;
  const scan = scanLog(log.window(), {
    ...{ definitions, handlers: log.handlers, summary: log.summary, hasChunks: true },
    onLoss: ({ isChunk }) => {
      hasChunks ||= isChunk;
    },
    onChunk: () => {
      hasChunks = true;
    },
  });
  while ((await scan.next()).done !== true) stopIfTold(stop);
  return { definitions, hasChunks };
}

/** What the file's header says it is for; nothing, where the header is damaged. */
async function profileOf(log: Log): Promise<string> {
  const scan = scanLog(log.window(), {
    ...{ handlers: log.handlers, summary: log.summary, hasChunks: true },
    onLoss: () => undefined,
  });
  for await (const batch of scan) {
    for (const entry of batch) {
      if (entry.kind === "header") return entry.profile;
    }
    break;
  }
  return "";
}
