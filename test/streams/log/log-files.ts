import { createHash } from "node:crypto";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import { LogWriter, type LogWriterOptions } from "../../../src/streams/log/log-writer.ts";
import type { LogChannel, LogEntry, LogMessage } from "../../../src/streams/log/scan/log-entry.ts";
import { openLog, readLog } from "../../../src/streams/log/scan/open-log.ts";
import { channelMetadata, channelOf } from "../../../src/streams/record/recording-channel.ts";
import { encodeItem, itemSchema } from "../../../src/wire/item-codec.ts";

/** A channel that this library has no decoder for, with metadata of its own. */
const foreignChannel: LogChannel = {
  topic: "/robot/pose",
  messageEncoding: "cdr",
  metadata: new Map([["offered_qos", "- history: 3"]]),
  schema: {
    name: "geometry_msgs/msg/Pose",
    encoding: "ros2msg",
    data: new TextEncoder().encode("Point position\nQuaternion orientation"),
  },
};

/** A message of no schema at all. */
const bareChannel: LogChannel = {
  topic: "/bare",
  messageEncoding: "x-own",
  metadata: new Map(),
  schema: undefined,
};

export function messageOf(item: StreamItem, receivedUs: number, channel?: LogChannel): LogMessage {
  const { name, schemaEncoding, encoding, data } = itemSchema(item.kind);
  const described = channelOf(item);
  return {
    kind: "message",
    channel: channel ?? {
      topic: described.topic,
      messageEncoding: encoding,
      metadata: channelMetadata(described),
      schema: { name, encoding: schemaEncoding, data: data() },
    },
    sequence: item.seq,
    logTime: BigInt(receivedUs) * 1000n,
    publishTime: BigInt(item.timeUs) * 1000n,
    data: encodeItem(item),
  };
}

export function foreignMessage(sequence: number, timeNs: bigint, data: Uint8Array): LogMessage {
  const channel = sequence % 2 === 0 ? foreignChannel : bareChannel;
  return { kind: "message", channel, sequence, logTime: timeNs, publishTime: timeNs - 7n, data };
}

export async function writeLog(
  path: string,
  entries: readonly LogEntry[],
  options: Partial<LogWriterOptions> = {},
): Promise<void> {
  const writer = await LogWriter.create(path, { profile: "polyphase", ...options });
  for (const entry of entries) await writer.write(entry);
  await writer.close();
}

/** All entries of an undamaged file. */
export async function entriesOf(path: string): Promise<readonly LogEntry[]> {
  const log = await openLog(path);
  const entries: LogEntry[] = [];
  for await (const batch of readLog(log)) entries.push(...batch);
  await log.close();
  return entries;
}

/** A message, with a hash of everything it says. */
export function messageText({ channel, sequence, logTime, publishTime, data }: LogMessage): string {
  const { topic, messageEncoding, metadata, schema } = channel;
  const schemaText = schema && [schema.name, schema.encoding, Buffer.from(schema.data).toString()];
  const described = [topic, messageEncoding, [...metadata], schemaText];
  const bytes = Buffer.from(data).toString("base64");
  const all = JSON.stringify([described, sequence, `${logTime}`, `${publishTime}`, bytes]);
  // Short enough to be read where a test fails.
  return `${topic} ${sequence} ${createHash("sha256").update(all).digest("hex").slice(0, 12)}`;
}

export function textsOf(entries: readonly LogEntry[]): readonly string[] {
  return entries.filter((entry) => entry.kind === "message").map(messageText);
}
