import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { logChannelNames } from "./log-channel-names.ts";
import { LogWriter, type LogWriterOptions } from "./log-writer.ts";
import { type LogOrder, timeOf } from "./order-entries.ts";
import type { LogChannel, LogEntry, LogMessage } from "./scan/log-entry.ts";
import { type Log, openLog, readLog } from "./scan/open-log.ts";
import { changesState, isKeyframeChannel } from "./state-channels.ts";

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
  /**
   * Recorded states that are left out: of streams of which not all items are wanted, for they saw them, and
   * those at the edge of a stretch of time that have lost the states of other streams beside them.
   */
  readonly keyframesLeftOut: number;
}

/**
 * Writes the wanted messages of one recording to another, in file order and with their bytes, and all
 * metadata and attachments. Recorded states that are not those of what is kept are left out.
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
  /** Streams of which some item is not wanted. */
  readonly #incomplete = new Set<string | undefined>();
  #messages = 0;
  #keyframesLeftOut = 0;

  constructor(log: Log, options: FilterLogOptions) {
    this.#log = log;
    this.#options = options;
  }

  async run(outPath: string): Promise<FilterLogResult> {
    const { stop, onProgress } = this.#options;
    const { size, profile, summary } = this.#log;
    // A state at the beginning of a file may have seen what the file has only later.
    if (typeof summary !== "string") {
      for (const channel of summary.definitions.channels) this.#isWanted(channel);
    }
    const writer = await LogWriter.create(outPath, { ...this.#options, profile });
    try {
      for await (const batch of readLog(this.#log, (bytes) => onProgress?.(bytes, size))) {
        if (stop?.aborted === true) {
          throw new PolyphaseError("INTERRUPTED", "Interrupted: nothing was written");
        }
        const isTorn = this.#tearsStates(batch);
        for (const entry of batch) {
          if (this.#passes(entry, isTorn)) await writer.write(entry);
        }
      }
      await writer.close();
    } catch (failure) {
      await writer.abort();
      throw failure;
    }
    return {
      messages: this.#messages,
      kept: writer.messages,
      keptTopics: this.#topics(true),
      otherTopics: this.#topics(false),
      keyframesLeftOut: this.#keyframesLeftOut,
    };
  }

  #passes(entry: LogEntry, isTorn: boolean): boolean {
    if (entry.kind === "channel") return this.#isWanted(entry.channel);
    if (entry.kind !== "message") return true;
    this.#messages++;
    if (!this.#isWanted(entry.channel) || !this.#isInTime(entry)) return false;
    if (!isKeyframeChannel(entry.channel)) return true;
    if (!isTorn && !this.#incomplete.has(streamOf(entry.channel))) return true;
    this.#keyframesLeftOut++;
    return false;
  }

  /** Whether of the states that a chunk opens with some are in the stretch and some are not. */
  #tearsStates(chunk: readonly LogEntry[]): boolean {
    let [inside, outside] = [false, false];
    for (const entry of chunk) {
      if (entry.kind !== "message" || !isKeyframeChannel(entry.channel)) continue;
      if (this.#isInTime(entry)) inside = true;
      else outside = true;
    }
    return inside && outside;
  }

  #isInTime(message: LogMessage): boolean {
    const { by, from, to } = this.#options;
    const time = timeOf(message, by);
    return (from === undefined || time >= from) && (to === undefined || time < to);
  }

  #isWanted(channel: LogChannel): boolean {
    let wanted = this.#decisions.get(channel);
    if (wanted === undefined) {
      wanted = this.#options.wanted(channel);
      this.#decisions.set(channel, wanted);
      if (!wanted && changesState(channel)) this.#incomplete.add(streamOf(channel));
    }
    return wanted;
  }

  #topics(kept: boolean): readonly string[] {
    return [...this.#decisions].filter(([, is]) => is === kept).map(([{ topic }]) => topic);
  }
}

function streamOf(channel: LogChannel): string | undefined {
  return logChannelNames(channel).stream;
}
