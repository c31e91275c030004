import type { McapTypes } from "@mcap/core";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import { itemSchema } from "../../wire/item-codec.ts";
import { type ControlKind, controlSchema } from "./control-channel.ts";
import {
  channelMetadata,
  channelName,
  channelOf,
  type RecordingChannel,
  shapeMismatch,
} from "./recording-channel.ts";

/**
 * The channels and schemas that a recorder has needed so far, with their MCAP ids: the same in every
 * file that it writes.
 */
export class ChannelTable {
  readonly schemas: McapTypes.Schema[] = [];
  readonly channels: McapTypes.Channel[] = [];
  /** By stream, then name within the stream. */
  readonly #items = new Map<string, Map<string, { id: number; channel: RecordingChannel }>>();
  readonly #controls = new Map<string, number>();

  /**
   * @returns id of the channel of items like this one
   * @throws {PolyphaseError} BAD_EVENT unless the item has the shape of the first on its channel
   */
  ofItem(item: StreamItem): number {
    let names = this.#items.get(item.stream);
    if (names === undefined) {
      names = new Map();
      this.#items.set(item.stream, names);
    }
    const name = channelName(item);
    let known = names.get(name);
    if (known === undefined) {
      known = this.#addItem(item);
      names.set(name, known);
    }
    const mismatch = shapeMismatch(known.channel, item);
    if (mismatch === undefined) return known.id;
    throw new PolyphaseError("BAD_EVENT", `Cannot record ${known.channel.topic}: ${mismatch}`);
  }

  /** @returns id of a control channel of a stream, or of one of its sensors */
  ofControl(kind: ControlKind, stream: string, sensor = ""): number {
    const key = JSON.stringify([kind, stream, sensor]);
    let id = this.#controls.get(key);
    if (id === undefined) {
      const { name, encoding, schemaEncoding, schema } = controlSchema(kind);
      const data = new TextEncoder().encode(schema);
      id = this.#add(
        `/${stream}/polyphase/${sensor === "" ? "" : `${sensor}/`}${kind}`,
        encoding,
        this.#schemaId(name, schemaEncoding, () => data),
        new Map([
          ["stream", stream],
          ["sensor", sensor],
        ]),
      );
      this.#controls.set(key, id);
    }
    return id;
  }

  #addItem(item: StreamItem): { id: number; channel: RecordingChannel } {
    const channel = channelOf(item);
    const { name, encoding, schemaEncoding, data } = itemSchema(item.kind);
    const schemaId = this.#schemaId(name, schemaEncoding, data);
    const id = this.#add(channel.topic, encoding, schemaId, channelMetadata(channel));
    return { id, channel };
  }

  #add(
    topic: string,
    messageEncoding: string,
    schemaId: number,
    metadata: Map<string, string>,
  ): number {
    const id = this.channels.length;
    this.channels.push({ id, schemaId, topic, messageEncoding, metadata });
    return id;
  }

  #schemaId(name: string, encoding: string, data: () => Uint8Array): number {
    const known = this.schemas.find((schema) => schema.name === name);
    if (known !== undefined) return known.id;
    const id = this.schemas.length + 1;
    this.schemas.push({ id, name, encoding, data: data() });
    return id;
  }
}
