import type { ByteMemory } from "../../sensors/byte-memory.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { encodeItem, itemSchema } from "../../wire/item-codec.ts";
import {
  channelMetadata,
  channelOf,
  type RecordingChannel,
  shapeMismatch,
} from "../record/recording-channel.ts";
import type { LogChannel, LogMessage } from "./scan/log-entry.ts";

/** Makes messages of items, with the channels that a recording of ours has. */
export class ItemMessages {
  readonly #channels = new Map<string, readonly [RecordingChannel, LogChannel]>();

  /**
   * The message of an item that arrived at `receivedUs`.
   *
   * @param memory where its bytes may go: they are valid until it is used again
   * @throws {PolyphaseError} BAD_EVENT for an item that must not be recorded, or that has not the
   *   shape of its channel's first
   */
  of(item: StreamItem, receivedUs: TimeUs, memory?: ByteMemory): LogMessage {
    const described = channelOf(item);
    let known = this.#channels.get(described.topic);
    if (known === undefined) {
      known = [described, logChannelOf(described)];
      this.#channels.set(described.topic, known);
    }
    const mismatch = shapeMismatch(known[0], item);
    if (mismatch !== undefined) {
      throw new PolyphaseError("BAD_EVENT", `Cannot record ${described.topic}: ${mismatch}`);
    }
    return {
      kind: "message",
      channel: known[1],
      sequence: item.seq % 2 ** 32,
      logTime: BigInt(receivedUs) * 1000n,
      publishTime: BigInt(item.timeUs) * 1000n,
      data: encodeItem(item, memory),
    };
  }
}

function logChannelOf(channel: RecordingChannel): LogChannel {
  const { name, schemaEncoding, encoding, data } = itemSchema(channel.kind);
  return {
    topic: channel.topic,
    messageEncoding: encoding,
    metadata: channelMetadata(channel),
    schema: { name, encoding: schemaEncoding, data: data() },
  };
}
