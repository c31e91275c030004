import { describeChannel } from "../replay/recorded-channel.ts";
import type { LogChannel } from "./scan/log-entry.ts";

/** What a log's channel carries, as {@link describeChannel} tells it of a recording's. */
export function describeLogChannel(channel: LogChannel): ReturnType<typeof describeChannel> {
  const { topic, messageEncoding, schema } = channel;
  const metadata = new Map(channel.metadata);
  return describeChannel(
    { id: 0, schemaId: 0, topic, messageEncoding, metadata },
    schema?.name ?? "",
    0,
  );
}
