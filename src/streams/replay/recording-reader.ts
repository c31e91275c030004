import type { McapTypes } from "@mcap/core";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { decodeItem } from "../../wire/item-codec.ts";
import { recordingMetadataName } from "../record/recording-channel.ts";
import { compareTied } from "./compare-recorded.ts";
import { badRecording, locating, type McapFile, openMcap } from "./open-mcap.ts";
import { inEventOrder } from "./order-by-event-time.ts";
import { describeChannel, type RecordedChannel, type UnknownChannel } from "./recorded-channel.ts";
import type { RecordedItem } from "./recorded-item.ts";

/** Items of one batch. */
const batchItems = 256;
/** Items of one and the same receive time; they are sorted in memory. */
const tiedItemsMax = 65_536;

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
    const channels = describeChannels(mcap);
    const unknown = [...channels.values()].filter(isUnknown);
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

type ChannelsById = ReadonlyMap<number, RecordedChannel | UnknownChannel>;

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
    this.unknownChannels = channels.filter(isUnknown);
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

  async *#inReceiveOrder(): AsyncGenerator<readonly RecordedItem[], void, void> {
    const batch: RecordedItem[] = [];
    let tied: RecordedItem[] = [];
    for await (const message of this.#messages()) {
      const recorded = this.#decode(message);
      if (recorded === undefined) continue;
      if (tied.length > 0 && tied[0]!.receivedUs !== recorded.receivedUs) {
        batch.push(...tied.sort(compareTied));
        tied = [];
        while (batch.length >= batchItems) yield batch.splice(0, batchItems);
      }
      if (tied.length >= tiedItemsMax) {
        const reason = `more than ${tiedItemsMax} messages at log time ${recorded.receivedUs} µs`;
        throw badRecording(this.path, reason);
      }
      tied.push(recorded);
    }
    batch.push(...tied.sort(compareTied));
    while (batch.length > 0) yield batch.splice(0, batchItems);
  }

  /** The reader's messages; its errors get the file and the byte offset of the chunk. */
  async *#messages(): AsyncGenerator<McapTypes.Message, void, void> {
    const { path, readable, reader } = this.#mcap;
    try {
      yield* reader.readMessages();
    } catch (error) {
      const reason = `damaged near byte ${readable.lastOffset}: ${(error as Error).message}`;
      throw badRecording(path, reason, error);
    }
  }

  #decode(message: McapTypes.Message): RecordedItem | undefined {
    const channel = this.#channelsById.get(message.channelId);
    if (channel === undefined || isUnknown(channel)) return undefined;
    const { schemaName, encoding } = channel;
    const { sequence } = message;
    const receivedUs = microseconds(message.logTime);
    try {
      const item = decodeItem(schemaName, encoding, message.data, channel, sequence);
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

function atPlace(place: string, cause: PolyphaseError): PolyphaseError {
  return new PolyphaseError(cause.code, `${place}: ${cause.message}`, { cause });
}

/** Whole microseconds of an MCAP time; other tools' parts of a microsecond are cut off. */
function microseconds(nanoseconds: bigint): TimeUs {
  return Number(nanoseconds / 1000n);
}
