import { describeChannel } from "../replay/recorded-channel.ts";
import type { LogChannel } from "./scan/log-entry.ts";

/** What a channel is called; a channel of another tool's may name no stream and no sensor. */
export interface LogChannelNames {
  readonly kind: string;
  readonly stream: string | undefined;
  readonly sensor: string | undefined;
}

/** Stream and sensor of a channel; markers, and whatever else belongs to no one sensor, have none. */
export function logChannelNames(channel: LogChannel): LogChannelNames {
  const { topic, messageEncoding, schema } = channel;
  const metadata = new Map(channel.metadata);
  const described = describeChannel(
    { id: 0, schemaId: 0, topic, messageEncoding, metadata },
    schema?.name ?? "",
    0,
  );
  if (described.kind === "unknown") {
    return {
      kind: metadata.get("kind") ?? "unknown",
      stream: metadata.get("stream"),
      sensor: metadata.get("sensor"),
    };
  }
  const { kind, stream, sensor } = described;
  return { kind, stream, sensor: kind === "marker" ? undefined : sensor };
}
