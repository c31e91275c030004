import { schemaNames } from "../../wire/schema.ts";
import { logChannelNames } from "./log-channel-names.ts";
import type { LogChannel } from "./scan/log-entry.ts";

/** Whether a channel holds recorded states of a stream. */
export function isKeyframeChannel({ schema }: LogChannel): boolean {
  return schema?.name === schemaNames.keyframe;
}

/** Whether what is on a channel changes the state of its stream: items do, but for statuses. */
export function changesState(channel: LogChannel): boolean {
  const { kind } = logChannelNames(channel);
  return kind !== "status" && kind !== "unknown";
}
