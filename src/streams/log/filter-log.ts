import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { LogWriter, type LogWriterOptions } from "./log-writer.ts";
import { type LogOrder, timeOf } from "./order-entries.ts";
import type { LogChannel, LogEntry } from "./scan/log-entry.ts";
import { type Log, openLog, readLog } from "./scan/open-log.ts";

export interface FilterLogOptions extends Omit<LogWriterOptions, "profile"> {
  readonly wanted: (channel: LogChannel) => boolean;
  /** Which time `from` and `to` are compared with. */
  readonly by: LogOrder;
  /** Nanoseconds, included and excluded. */
  readonly from?: bigint;
  readonly to?: bigint;
  readonly stop?: AbortSignal;
  readonly onProgress?: (bytes: number, ofBytes: number) => void;
}

export interface FilterLogResult {
  readonly messages: number;
  readonly kept: number;
  /** Topics that were wanted and those that were not, in file order. */
  readonly keptTopics: readonly string[];
  readonly otherTopics: readonly string[];
}

/**
 * Writes the wanted messages of one recording to another, in file order and with their bytes, and all
 * metadata and attachments.
 *
 * @throws {PolyphaseError} BAD_RECORDING at damage; INTERRUPTED
 */
export async function filterLog(
  path: string,
  outPath: string,
  options: FilterLogOptions,
): Promise<FilterLogResult> {
  const log = await openLog(path);
  try {
    return await new LogFilter(log, options).run(outPath);
  } finally {
    await log.close();
  }
}

class LogFilter {
  readonly #log: Log;
  readonly #options: FilterLogOptions;
  readonly #decisions = new Map<LogChannel, boolean>();
  #messages = 0;

  constructor(log: Log, options: FilterLogOptions) {
    this.#log = log;
    this.#options = options;
  }

  async run(outPath: string): Promise<FilterLogResult> {
    const { stop, onProgress } = this.#options;
    const { size } = this.#log;
    let writer: LogWriter | undefined;
    try {
      for await (const batch of readLog(this.#log, (bytes) => onProgress?.(bytes, size))) {
        if (stop?.aborted === true) {
          throw new PolyphaseError("INTERRUPTED", "Interrupted: nothing was written");
        }
        for (const entry of batch) {
          writer ??= await this.#create(outPath, entry.kind === "header" ? entry.profile : "");
          if (this.#passes(entry)) await writer.write(entry);
        }
      }
      writer ??= await this.#create(outPath, "");
      await writer.close();
    } catch (failure) {
      await writer?.abort();
      throw failure;
    }
    return {
      messages: this.#messages,
      kept: writer.messages,
      keptTopics: this.#topics(true),
      otherTopics: this.#topics(false),
    };
  }

  #create(outPath: string, profile: string): Promise<LogWriter> {
    return LogWriter.create(outPath, { ...this.#options, profile });
  }

  #passes(entry: LogEntry): boolean {
    if (entry.kind === "channel") return this.#isWanted(entry.channel);
    if (entry.kind !== "message") return true;
    this.#messages++;
    const { by, from, to } = this.#options;
    const time = timeOf(entry, by);
    const isInTime = (from === undefined || time >= from) && (to === undefined || time < to);
    return this.#isWanted(entry.channel) && isInTime;
  }

  #isWanted(channel: LogChannel): boolean {
    let wanted = this.#decisions.get(channel);
    if (wanted === undefined) {
      wanted = this.#options.wanted(channel);
      this.#decisions.set(channel, wanted);
    }
    return wanted;
  }

  #topics(kept: boolean): readonly string[] {
    return [...this.#decisions].filter(([, is]) => is === kept).map(([{ topic }]) => topic);
  }
}
