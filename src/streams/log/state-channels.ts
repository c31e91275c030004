import { schemaNames } from "../../wire/schema.ts";
import { logChannelNames } from "./log-channel-names.ts";
import type { LogChannel } from "./scan/log-entry.ts";

/** What changes no state of a graph: statuses, and what is no item (or none that we know). */
const kindsWithoutEffect: ReadonlySet<string> = new Set([
  ...["status", "unknown"],
  ...["watermark", "keyframe", "clock-map", "decision"],
]);

/** Whether a channel holds recorded states of a stream. */
export function isKeyframeChannel({ schema }: LogChannel): boolean {
  return schema?.name === schemaNames.keyframe;
}

/** Whether what is on a channel changes the state of its stream. */
export function changesState(channel: LogChannel): boolean {
  return !kindsWithoutEffect.has(logChannelNames(channel).kind);
}
