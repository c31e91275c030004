import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { WireChannel } from "../../wire/wire-channel.ts";

/** The name of the MCAP metadata record that says what a recording is. */
export const recordingMetadataName = "polyphase.recording";

/** One channel of a recording: one sensor of one stream, or the markers of a stream. */
export interface RecordingChannel extends WireChannel {
  readonly kind: StreamItem["kind"];
  readonly topic: string;
  /** Orders items of equal receive time: smaller first. Markers come before sensor events. */
  readonly priority: number;
}

const priorityByKind: Readonly<Record<StreamItem["kind"], number>> = {
  marker: 0,
  audio: 1,
  video: 2,
  dvs: 3,
  scalar: 4,
};

/** Order of a kind among items of equal time, where the recording states none. */
export function kindPriority(kind: StreamItem["kind"]): number {
  return priorityByKind[kind];
}

/** The channel that `item` belongs to; its sizes and convention hold for the whole channel. */
export function channelOf(item: StreamItem): RecordingChannel {
  const sensor = item.kind === "marker" ? "markers" : item.sensor;
  const { kind, stream } = item;
  const common = {
    kind,
    stream,
    sensor,
    topic: `/${stream}/${sensor}`,
    priority: kindPriority(kind),
  };
  switch (item.kind) {
    case "audio":
      return { ...common, size: item.values.length, convention: item.convention };
    case "video":
      return { ...common, width: item.width, height: item.height };
    case "dvs":
      return { ...common, width: item.packet.width, height: item.packet.height };
    case "scalar":
      return { ...common, size: item.values.length };
    case "marker":
      return common;
  }
}

/** What of a channel goes into the metadata of the MCAP channel. */
export function channelMetadata(channel: RecordingChannel): Map<string, string> {
  const { topic: _, ...fields } = channel;
  return new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}
