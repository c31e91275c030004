import type { McapTypes } from "@mcap/core";
import { findItemSchema, type ItemSchema } from "../../wire/item-codec.ts";
import { kindPriority, type RecordingChannel } from "../record/recording-channel.ts";

/** One channel of a recording whose messages can be decoded. */
export interface RecordedChannel extends RecordingChannel {
  readonly schemaName: string;
  readonly encoding: string;
  /** Messages in the recording. */
  readonly count: number;
}

/** A channel of a foreign recording whose messages this library has no decoder for. */
export interface UnknownChannel {
  readonly kind: "unknown";
  readonly topic: string;
  readonly schemaName: string;
  readonly encoding: string;
  readonly count: number;
}

/**
 * What an MCAP channel holds. Without our metadata, as in other tools' recordings, everything
 * belongs to the stream `default` and the sensor is named after the topic.
 */
export function describeChannel(
  channel: McapTypes.Channel,
  schemaName: string,
  count: number,
): RecordedChannel | UnknownChannel {
  const { topic, metadata, messageEncoding: encoding } = channel;
  const schema = findItemSchema(schemaName, encoding);
  if (schema === undefined) return { kind: "unknown", topic, schemaName, encoding, count };
  const own = metadata.get("kind") === schema.kind ? metadata : new Map<string, string>();
  return {
    kind: schema.kind,
    topic,
    schemaName,
    encoding,
    count,
    stream: own.get("stream") ?? "default",
    sensor: own.get("sensor") ?? topic.replace(/^\/+/, ""),
    priority: wholeNumber(own.get("priority")) ?? kindPriority(schema.kind),
    ...shapeOf(schema, own),
  };
}

function shapeOf(
  { kind }: ItemSchema,
  metadata: ReadonlyMap<string, string>,
): Partial<Pick<RecordedChannel, "width" | "height" | "size" | "convention">> {
  const width = wholeNumber(metadata.get("width"));
  const height = wholeNumber(metadata.get("height"));
  const size = wholeNumber(metadata.get("size"));
  const hasConvention = kind === "audio" || kind === "video";
  const convention = hasConvention ? metadata.get("convention") : undefined;
  return {
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(size === undefined ? {} : { size }),
    ...(convention === undefined ? {} : { convention }),
  };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
