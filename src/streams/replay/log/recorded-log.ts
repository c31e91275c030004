import type { TimeUs } from "../../../sensors/time.ts";
import type { Keyframe } from "../../fuse/fuse.ts";
import type { LatePolicy } from "../../fuse/late-policy.ts";
import type { ChunkMessage } from "../read-chunk.ts";
import type { RecordedChannel, UnknownChannel } from "../recorded-channel.ts";
import { decodeEntries } from "./decode-entries.ts";
import { isControlChannel, type LogChannel } from "./log-channel.ts";
import type { LogEntry } from "./log-entry.ts";
import { type LogFile, openLogFile, recordedPolicy } from "./log-file.ts";
import type { ChunkPlace } from "./mcap-index.ts";

/** Where a replay can begin: a chunk that opens with the states of all streams. */
export interface KeyframePlace {
  /** Index among all chunks of the log. */
  readonly chunk: number;
  /** Per stream: all events before it are in the state, no other is. */
  readonly timesUs: ReadonlyMap<string, TimeUs>;
}

interface LogChunk {
  readonly file: LogFile;
  readonly place: ChunkPlace;
}

/** What a recorder wrote in one run: one file, or the parts of a rotated one in order. */
export class RecordedLog {
  readonly files: readonly LogFile[];
  readonly #chunks: readonly LogChunk[];

  /** @param files at least one */
  constructor(files: readonly LogFile[]) {
    this.files = files;
    this.#chunks = files.flatMap((file) => file.chunks.map((place) => ({ file, place })));
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.files[0]!.metadata;
  }

  /** The late policy of the recorded run. */
  get late(): LatePolicy {
    return recordedPolicy(this.files[0]!);
  }

  /** True if the log has the end of the recorded run. */
  get isEnd(): boolean {
    return this.files.at(-1)!.isEnd;
  }

  get chunks(): number {
    return this.#chunks.length;
  }

  /** The channels of items, by topic. */
  get channels(): readonly RecordedChannel[] {
    const channels = new Map<string, RecordedChannel>();
    for (const file of this.files) {
      for (const channel of file.channels.values()) {
        if (channel.kind === "unknown" || isControlChannel(channel)) continue;
        channels.set(channel.topic, channel);
      }
    }
    return [...channels.values()];
  }

  /** The streams that have items. */
  get streams(): readonly string[] {
    return [...new Set(this.channels.map(({ stream }) => stream))];
  }

  /** Chunks with a keyframe, which most often open with it. */
  get keyframeChunks(): number {
    return this.#chunks.filter(hasKeyframe).length;
  }

  /**
   * The chunks that a replay can begin with, in order: those with the states of all streams so far.
   *
   * @param every of the chunks with a keyframe, how many share one that is asked for: to know what a
   *   chunk opens with takes as long as to read it
   */
  async keyframes(every = 1): Promise<readonly KeyframePlace[]> {
    const places: KeyframePlace[] = [];
    const begun = new Set<string>();
    let found = 0;
    for (const [chunk, one] of this.#chunks.entries()) {
      if (hasKeyframe(one) && found++ % every === 0) {
        const frames = await this.states(chunk);
        const timesUs = [...frames].map(([stream, { timeUs }]) => [stream, timeUs] as const);
        const isComplete = [...begun].every((stream) => frames.has(stream));
        if (frames.size > 0 && isComplete) places.push({ chunk, timesUs: new Map(timesUs) });
      }
      for (const channel of channelsOf(one)) if (beginsStream(channel)) begun.add(channel.stream);
    }
    return places;
  }

  /** The states that a chunk opens with; none if it opens with something else. */
  async states(chunk: number): Promise<ReadonlyMap<string, Keyframe>> {
    const states = new Map<string, Keyframe>();
    for (const entry of await this.opening(chunk)) {
      if (entry.kind === "keyframe") states.set(entry.stream, entry);
    }
    return states;
  }

  /** The keyframes that a chunk opens with, and their watermarks. */
  async opening(chunk: number): Promise<readonly LogEntry[]> {
    const { file, place } = this.#chunks[chunk]!;
    return decodeEntries(file.path, openingOf(await file.read(place)));
  }

  /** What lies in chunks `from` to `to` (excluded), chunk by chunk. */
  async *entries(from: number, to: number): AsyncGenerator<readonly LogEntry[], void, void> {
    for (const { file, place } of this.#chunks.slice(from, to)) {
      yield decodeEntries(file.path, await file.read(place));
    }
  }

  async close(): Promise<void> {
    for (const file of this.files) await file.close();
  }
}

function channelsOf({ file, place }: LogChunk): readonly (LogChannel | UnknownChannel)[] {
  return [...place.channelIds].flatMap((id) => file.channels.get(id) ?? []);
}

function hasKeyframe(chunk: LogChunk): boolean {
  return channelsOf(chunk).some(({ kind }) => kind === "keyframe");
}

/** Whether a stream on whose channel something lies has a state. */
function beginsStream(channel: LogChannel | UnknownChannel): channel is LogChannel {
  const { kind } = channel;
  return kind !== "unknown" && kind !== "status" && kind !== "clock-map" && kind !== "decision";
}

function openingOf(messages: readonly ChunkMessage<LogChannel>[]): ChunkMessage<LogChannel>[] {
  if (messages[0]?.channel.kind !== "keyframe") return [];
  const end = messages.findIndex(({ channel }) => {
    return channel.kind !== "keyframe" && channel.kind !== "watermark";
  });
  return messages.slice(0, end < 0 ? messages.length : end);
}

/**
 * Opens what recorders wrote. Files of one run that follow each other become one log.
 *
 * @returns one entry per log, or per file that is another recording (`log` undefined)
 * @throws {PolyphaseError} FILE_NOT_FOUND, BAD_RECORDING
 */
export async function openRecordedLogs(
  paths: readonly string[],
): Promise<readonly { readonly paths: readonly string[]; readonly log?: RecordedLog }[]> {
  const runs: { paths: string[]; files: LogFile[] }[] = [];
  for (const path of paths) {
    const file = await openLogFile(path);
    const last = runs.at(-1);
    if (file !== undefined && last !== undefined && follows(last.files.at(-1), file)) {
      last.paths.push(path);
      last.files.push(file);
    } else {
      runs.push({ paths: [path], files: file === undefined ? [] : [file] });
    }
  }
  return runs.map(({ paths: own, files }) => {
    return files.length === 0 ? { paths: own } : { paths: own, log: new RecordedLog(files) };
  });
}

function follows(before: LogFile | undefined, { metadata }: LogFile): boolean {
  if (before === undefined || metadata["run"] === undefined) return false;
  const { run, part, dump } = before.metadata;
  return (
    metadata["run"] === run &&
    metadata["dump"] === dump &&
    Number(metadata["part"]) === Number(part) + 1
  );
}
