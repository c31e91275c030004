import type { McapTypes } from "@mcap/core";
import { type ControlKind, findControlSchema } from "../../record/control-channel.ts";
import { describeChannel, type RecordedChannel, type UnknownChannel } from "../recorded-channel.ts";

/** A channel of what a recorder adds to the items. */
export interface ControlChannel {
  readonly kind: ControlKind;
  readonly stream: string;
  /** Empty where the channel is the whole stream's. */
  readonly sensor: string;
}

/** A channel of a recorder's file. */
export type LogChannel = RecordedChannel | ControlChannel;

/** What an MCAP channel of a recorder's file holds. */
export function describeLogChannel(
  channel: McapTypes.Channel,
  schemaName: string,
  count: number,
): LogChannel | UnknownChannel {
  const control = findControlSchema(schemaName);
  if (control === undefined) return describeChannel(channel, schemaName, count);
  const { metadata } = channel;
  return {
    kind: control.kind,
    stream: metadata.get("stream") ?? "default",
    sensor: metadata.get("sensor") ?? "",
  };
}

export function isControlChannel(channel: LogChannel): channel is ControlChannel {
  return (
    channel.kind === "watermark" ||
    channel.kind === "keyframe" ||
    channel.kind === "clock-map" ||
    channel.kind === "decision"
  );
}
