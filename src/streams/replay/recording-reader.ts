import type { McapTypes } from "@mcap/core";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { decodeItem } from "../../wire/item-codec.ts";
import { findControlSchema } from "../record/control-channel.ts";
import { recordingMetadataName } from "../record/recording-channel.ts";
import { compareChannels } from "./compare-recorded.ts";
import { badRecording, locating, type McapFile, openMcap } from "./open-mcap.ts";
import { inEventOrder } from "./order-by-event-time.ts";
import { type ChannelsById, type ChunkMessage, readChunk } from "./read-chunk.ts";
import { describeChannel, type RecordedChannel, type UnknownChannel } from "./recorded-channel.ts";
import type { RecordedItem } from "./recorded-item.ts";

/** Items of one batch. */
const batchItems = 256;

export interface OpenRecordingOptions {
  /** Leave out channels whose schema is unknown, instead of refusing the recording. */
  readonly skipUnknown?: boolean;
}

/** A recording open for reading. */
export interface Recording {
  readonly path: string;
  /** What was recorded, as the writer was told; empty for other tools' recordings. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly channels: readonly RecordedChannel[];
  /** Channels left out because of `skipUnknown`, with their message counts. */
  readonly unknownChannels: readonly UnknownChannel[];
  /** Receive time of the first and last message; undefined in an empty recording. */
  readonly firstReceivedUs: TimeUs | undefined;
  readonly lastReceivedUs: TimeUs | undefined;
  /**
   * The items, in batches of at most 256. `received` (default) is the order of arrival: receive
   * time, then channel priority, topic, sequence. `event` is the order of event time with the same
   * ties; it reads the recording twice, the first time to learn how late items are.
   *
   * Throws BAD_RECORDING for a damaged chunk and BAD_EVENT for a message that does not decode, with
   * the place. Independent iterations may run at the same time.
   */
  items(order?: "received" | "event"): AsyncGenerator<readonly RecordedItem[], void, void>;
  close(): Promise<void>;
}

/** Opens an indexed MCAP: one of ours, or any with the schemas of src/wire. */
export async function openRecording(
  path: string,
  options: OpenRecordingOptions = {},
): Promise<Recording> {
  const mcap = await openMcap(path);
  try {
    checkChunks(mcap);
    const channels = describeChannels(mcap);
    const unknown = [...channels.values()].filter(isUnknown).filter(isForeign);
    if (unknown.length > 0 && options.skipUnknown !== true) {
      const { topic, schemaName, encoding } = unknown[0]!;
      throw badRecording(path, `topic ${topic} has unknown schema ${schemaName} (${encoding})`);
    }
    return new McapRecording(mcap, channels, await readMetadata(mcap));
  } catch (failure) {
    await mcap.file.close();
    throw failure;
  }
}

function checkChunks({ path, reader }: McapFile): void {
  if (reader.chunkIndexes.length > 0 || (reader.statistics?.messageCount ?? 0n) === 0n) return;
  throw badRecording(path, "its messages must be in indexed chunks, got no chunk index");
}

function describeChannels({ reader }: McapFile): ChannelsById {
  const channels = new Map<number, RecordedChannel | UnknownChannel>();
  for (const [id, channel] of reader.channelsById) {
    const schemaName = reader.schemasById.get(channel.schemaId)?.name ?? "";
    const count = Number(reader.statistics?.channelMessageCounts.get(id) ?? 0n);
    channels.set(id, describeChannel(channel, schemaName, count));
  }
  return channels;
}

function isUnknown(channel: RecordedChannel | UnknownChannel): channel is UnknownChannel {
  return channel.kind === "unknown";
}

/** What a recorder adds to the items is no concern of a reader of items. */
function isForeign({ schemaName }: UnknownChannel): boolean {
  return findControlSchema(schemaName) === undefined;
}

async function readMetadata({ path, reader, readable }: McapFile): Promise<Record<string, string>> {
  return locating(path, readable, async () => {
    for await (const { metadata } of reader.readMetadata({ name: recordingMetadataName })) {
      return Object.fromEntries(metadata);
    }
    return {};
  });
}

class McapRecording implements Recording {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly channels: readonly RecordedChannel[];
  readonly unknownChannels: readonly UnknownChannel[];
  readonly firstReceivedUs: TimeUs | undefined;
  readonly lastReceivedUs: TimeUs | undefined;
  readonly #mcap: McapFile;
  readonly #channelsById: ChannelsById;

  constructor(mcap: McapFile, channelsById: ChannelsById, metadata: Record<string, string>) {
    this.#mcap = mcap;
    this.#channelsById = channelsById;
    this.path = mcap.path;
    this.metadata = metadata;
    const channels = [...channelsById.values()];
    this.channels = channels.filter((channel) => !isUnknown(channel));
    this.unknownChannels = channels.filter(isUnknown).filter(isForeign);
    const chunks = mcap.reader.chunkIndexes.filter((chunk) => chunk.messageIndexLength > 0n);
    const bounds = chunks.flatMap((chunk) => [chunk.messageStartTime, chunk.messageEndTime]);
    bounds.sort((a, b) => (a < b ? -1 : 1));
    this.firstReceivedUs = bounds.length === 0 ? undefined : microseconds(bounds[0]!);
    this.lastReceivedUs = bounds.length === 0 ? undefined : microseconds(bounds.at(-1)!);
  }

  items(order: "received" | "event" = "received"): AsyncGenerator<readonly RecordedItem[]> {
    return order === "event"
      ? inEventOrder(() => this.#inReceiveOrder(), batchItems)
      : this.#inReceiveOrder();
  }

  /**
   * Chunks by start time. A message is passed on when no chunk still to come can hold an earlier
   * or an equal one, so what is held is what overlapping chunks share.
   */
  async *#inReceiveOrder(): AsyncGenerator<readonly RecordedItem[], void, void> {
    const chunks = this.#mcap.reader.chunkIndexes.toSorted((a, b) =>
      Number(a.messageStartTime - b.messageStartTime),
    );
    let held: ChunkMessage[] = [];
    for (const [index, chunk] of chunks.entries()) {
      held = inOrderOfArrival(held, await this.#readChunk(chunk));
      const next = chunks[index + 1];
      const settled = next === undefined ? held.length : countBefore(held, next.messageStartTime);
      for (let from = 0; from < settled; from += batchItems) {
        const batch = held.slice(from, Math.min(from + batchItems, settled));
        yield batch.map((message) => this.#decode(message));
      }
      held = held.slice(settled);
    }
  }

  async #readChunk(index: McapTypes.ChunkIndex): Promise<ChunkMessage[]> {
    const { path, readable, decompressHandlers } = this.#mcap;
    const { chunkStartOffset, chunkLength } = index;
    return locating(path, readable, async () => {
      const record = await readable.read(chunkStartOffset, chunkLength);
      const messages = readChunk(record, decompressHandlers, this.#channelsById);
      const fromUs = microseconds(index.messageStartTime);
      const early = messages.find(({ receivedUs }) => receivedUs < fromUs);
      if (early === undefined) return messages;
      throw new Error(`log time must be >= ${fromUs} µs in this chunk, got ${early.receivedUs}`);
    });
  }

  #decode({ channel, sequence, receivedUs, data }: ChunkMessage): RecordedItem {
    const { schemaName, encoding } = channel;
    try {
      const item = decodeItem(schemaName, encoding, data, channel, sequence);
      return { item, receivedUs, channel };
    } catch (error) {
      if (!(error instanceof PolyphaseError)) throw error;
      const place = `topic ${channel.topic}, log time ${receivedUs} µs, sequence ${sequence}`;
      throw atPlace(`${this.path}, ${place}`, error);
    }
  }

  async close(): Promise<void> {
    await this.#mcap.file.close();
  }
}

/** Most chunks are in order already, and to see that takes a fraction of sorting them. */
function inOrderOfArrival(held: readonly ChunkMessage[], more: ChunkMessage[]): ChunkMessage[] {
  const messages = held.length === 0 ? more : held.concat(more);
  for (let i = 1; i < messages.length; i++) {
    if (compareMessages(messages[i - 1]!, messages[i]!) > 0) return messages.sort(compareMessages);
  }
  return messages;
}

/** Order of arrival; `sequence` stands for the item's own, which it repeats. */
function compareMessages(a: ChunkMessage, b: ChunkMessage): number {
  return (
    a.receivedUs - b.receivedUs || compareChannels(a.channel, b.channel) || a.sequence - b.sequence
  );
}

function countBefore(messages: readonly ChunkMessage[], nanoseconds: bigint): number {
  const firstUs = microseconds(nanoseconds);
  const index = messages.findIndex(({ receivedUs }) => receivedUs >= firstUs);
  return index < 0 ? messages.length : index;
}

function atPlace(place: string, cause: PolyphaseError): PolyphaseError {
  return new PolyphaseError(cause.code, `${place}: ${cause.message}`, { cause });
}

/** Whole microseconds of an MCAP time; other tools' parts of a microsecond are cut off. */
function microseconds(nanoseconds: bigint): TimeUs {
  return Number(nanoseconds / 1000n);
}
