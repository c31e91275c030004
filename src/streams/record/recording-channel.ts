import type { StreamItem, VideoEvent } from "../../sensors/sensor-event.ts";
import type { WireChannel } from "../../wire/wire-channel.ts";

/** The name of the MCAP metadata record that says what a recording is. */
export const recordingMetadataName = "polyphase.recording";

/** One channel of a recording: one sensor of a stream, its status, or the markers of a stream. */
export interface RecordingChannel extends WireChannel {
  readonly kind: StreamItem["kind"];
  readonly topic: string;
  /** Orders items of equal receive time: smaller first. Markers come before sensor events. */
  readonly priority: number;
}

const priorityByKind: Readonly<Record<StreamItem["kind"], number>> = {
  marker: 0,
  status: 0,
  audio: 1,
  video: 2,
  dvs: 3,
  scalar: 4,
};

/** Order of a kind among items of equal time, where the recording states none. */
export function kindPriority(kind: StreamItem["kind"]): number {
  return priorityByKind[kind];
}

/** Name of an item's channel within its stream; the markers of a stream share one. */
export function channelName(item: StreamItem): string {
  if (item.kind === "marker") return "markers";
  return item.kind === "status" ? `${item.sensor}/status` : item.sensor;
}

/** The channel that `item` belongs to; its sizes and convention hold for the whole channel. */
export function channelOf(item: StreamItem): RecordingChannel {
  const { kind, stream } = item;
  const common = {
    kind,
    stream,
    sensor: kind === "marker" ? "markers" : item.sensor,
    topic: `/${stream}/${channelName(item)}`,
    priority: kindPriority(kind),
  };
  switch (item.kind) {
    case "audio":
      return { ...common, size: item.values.length, convention: item.convention };
    case "video":
      return { ...common, width: item.width, height: item.height, ...conventionOf(item) };
    case "dvs":
      return { ...common, width: item.packet.width, height: item.packet.height };
    case "scalar":
      return { ...common, size: item.values.length };
    case "marker":
    case "status":
      return common;
  }
}

/** Nothing for a picture of which nobody said how it was cut. */
function conventionOf({ convention }: VideoEvent): Pick<WireChannel, "convention"> {
  return convention === undefined ? {} : { convention };
}

/** Why `item` cannot be on `channel`, whose items all have one shape; undefined if it can. */
export function shapeMismatch(channel: RecordingChannel, item: StreamItem): string | undefined {
  if (hasShapeOf(channel, item)) return undefined;
  const shape = ({ kind, width, height, size, convention }: RecordingChannel): string =>
    JSON.stringify({ kind, width, height, size, convention });
  return `shape must be ${shape(channel)} as before, got ${shape(channelOf(item))}`;
}

function hasShapeOf(channel: RecordingChannel, item: StreamItem): boolean {
  if (channel.kind !== item.kind) return false;
  switch (item.kind) {
    case "audio":
      return channel.size === item.values.length && channel.convention === item.convention;
    case "video":
      return (
        channel.width === item.width &&
        channel.height === item.height &&
        channel.convention === item.convention
      );
    case "dvs":
      return channel.width === item.packet.width && channel.height === item.packet.height;
    case "scalar":
      return channel.size === item.values.length;
    case "marker":
    case "status":
      return true;
  }
}

/** What of a channel goes into the metadata of the MCAP channel. */
export function channelMetadata(channel: RecordingChannel): Map<string, string> {
  const { topic: _, ...fields } = channel;
  return new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}
