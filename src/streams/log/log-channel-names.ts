import { describeLogChannel } from "./describe-log-channel.ts";
import type { LogChannel } from "./scan/log-entry.ts";

/** What a channel is called; a channel of another tool's may name no stream and no sensor. */
export interface LogChannelNames {
  readonly kind: string;
  readonly stream: string | undefined;
  readonly sensor: string | undefined;
}

/** Stream and sensor of a channel; markers, and whatever else belongs to no one sensor, have none. */
export function logChannelNames(channel: LogChannel): LogChannelNames {
  const described = describeLogChannel(channel);
  if (described.kind === "unknown") {
    return {
      kind: channel.metadata.get("kind") ?? "unknown",
      stream: channel.metadata.get("stream") || undefined,
      sensor: channel.metadata.get("sensor") || undefined,
    };
  }
  const { kind, stream, sensor } = described;
  return { kind, stream, sensor: kind === "marker" ? undefined : sensor };
}
