import { McapIndexedReader } from "@mcap/core";
import type { DecodedDvsPacket } from "../../sensors/dvs/codecs/stream/packet-builder.ts";
import {
  createDecoderCounts,
  type DecoderCounts,
} from "../../sensors/dvs/codecs/stream/payload-decoder.ts";
import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import type { DvsEvent } from "../../sensors/sensor-event.ts";
import { locating, type McapFile, openMcap } from "../../streams/replay/open-mcap.ts";
import { decodeItem } from "../../wire/item-codec.ts";
import { schemaNames } from "../../wire/schema.ts";
import type { DecoderReport, EventSource } from "./event-source.ts";
import {
  type ContainedMessage,
  isRosEventType,
  located,
  RosEventSource,
} from "./ros-event-source.ts";
import { noTopic } from "./rosbag2-event-source.ts";

/** Opens an MCAP recording of ROS EventPackets or of our own. */
export async function openMcapEvents(
  path: string,
  wanted: string | undefined,
): Promise<EventSource> {
  const mcap = await openMcap(path);
  const { channelsById, schemasById } = mcap.reader;
  const topics = [...channelsById.values()]
    .map(({ topic, schemaId, messageEncoding }) => {
      return { topic, messageEncoding, type: schemasById.get(schemaId)?.name ?? "" };
    })
    .filter(({ type }) => isRosEventType(type) || type === schemaNames.eventPacket)
    .sort((a, b) => (a.topic < b.topic ? -1 : 1));
  const found = topics.find(({ topic }) => wanted === undefined || topic === wanted);
  if (found === undefined) {
    await mcap.file.close();
    const names = topics.map(({ topic }) => topic);
    throw noTopic(path, wanted, names);
  }
  const messages = readMessages(mcap, found.topic);
  return isRosEventType(found.type)
    ? new RosEventSource(path, "mcap", messages)
    : new RecordedEventSource(path, found, messages);
}

async function* readMessages(
  mcap: McapFile,
  topic: string,
): AsyncGenerator<ContainedMessage, void, void> {
  const { path, readable, decompressHandlers, file } = mcap;
  try {
    const reader = await locating(path, readable, () =>
      McapIndexedReader.Initialize({ readable, decompressHandlers }),
    );
    const messages = reader.readMessages({ topics: [topic] });
    for (;;) {
      const next = await locating(path, readable, () => messages.next());
      if (next.done === true) return;
      const { data, logTime } = next.value;
      yield { data, place: `message of ${topic} at log time ${logTime}` };
    }
  } finally {
    await file.close();
  }
}

interface RecordedTopic {
  readonly topic: string;
  readonly messageEncoding: string;
}

/** Packets that were recorded as `polyphase.v1.EventPacket`. */
class RecordedEventSource implements EventSource {
  readonly path: string;
  readonly format: string;
  readonly #topic: RecordedTopic;
  readonly #messages: AsyncGenerator<ContainedMessage, void, void>;
  readonly #counts: DecoderCounts = createDecoderCounts();
  #size = { width: 0, height: 0 };

  constructor(
    path: string,
    topic: RecordedTopic,
    messages: AsyncGenerator<ContainedMessage, void, void>,
  ) {
    this.path = path;
    this.format = topic.messageEncoding === "json" ? "mcap/json" : "mcap/soa1";
    this.#topic = topic;
    this.#messages = messages;
  }

  get report(): DecoderReport {
    return { ...this.#counts, size: this.#size };
  }

  async *packets(): AsyncGenerator<DecodedDvsPacket, void, void> {
    for await (const message of this.#messages) {
      const packet = this.#decode(message);
      this.#counts.inputPackets++;
      this.#size = { width: packet.width, height: packet.height };
      yield { ...packet, discontinuity: undefined };
    }
  }

  #decode({ data, place }: ContainedMessage): DvsPacket {
    const { topic, messageEncoding } = this.#topic;
    try {
      const channel = { stream: "", sensor: topic };
      const item = decodeItem(schemaNames.eventPacket, messageEncoding, data, channel, 0);
      return (item as DvsEvent).packet;
    } catch (error) {
      throw located(this.path, place, error);
    }
  }
}
