import { logChannelNames } from "./log-channel-names.ts";
import type { LogChannel } from "./scan/log-entry.ts";

/** Which channels of a recording are wanted; what is absent selects all. */
export interface ChannelSelection {
  readonly streams?: readonly string[];
  readonly sensors?: readonly string[];
  /** Topics; `*` stands for any characters. */
  readonly topics?: readonly string[];
}

/**
 * True if the channel is selected. What belongs to no one sensor (markers, watermarks) goes with its
 * stream, and what belongs to no stream goes with everything: only a topic can leave it out.
 */
export function isSelected(channel: LogChannel, selection: ChannelSelection): boolean {
  const { streams, sensors, topics } = selection;
  const { stream, sensor } = logChannelNames(channel);
  return (
    (streams === undefined || stream === undefined || streams.includes(stream)) &&
    (sensors === undefined || sensor === undefined || sensors.includes(sensor)) &&
    (topics === undefined || topics.some((pattern) => matches(channel.topic, pattern)))
  );
}

function matches(topic: string, pattern: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(topic);
}
