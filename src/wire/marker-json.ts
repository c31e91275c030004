import type { Marker } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { decodeJsonItem } from "./json-item.ts";
import { schemaNames } from "./schema.ts";
import type { WireChannel } from "./wire-channel.ts";
import { checkTimeUs } from "./wire-time.ts";

const schemaName = schemaNames.marker;
const actions: readonly Marker["action"][] = ["session-start", "segment-start", "segment-end"];

/** JSON Schema of a marker, as recordings embed it. */
export const markerJsonSchema: string = JSON.stringify({
  title: schemaName,
  description: "Where a session or a segment of a stream begins or ends",
  type: "object",
  required: ["timeUs", "seq", "action", "label"],
  properties: {
    timeUs: { type: "integer", minimum: 0, description: "event time in microseconds" },
    seq: { type: "integer", minimum: 0 },
    action: { type: "string", enum: actions },
    label: { type: "string", description: "what the segment shows; never given to the graph" },
  },
});

/** A marker as JSON; its stream is the channel's. */
export function encodeMarker({ timeUs, seq, action, label }: Marker): Uint8Array {
  checkTimeUs("encode", schemaName, "timeUs", timeUs);
  return new TextEncoder().encode(JSON.stringify({ timeUs, seq, action, label }));
}

/** The inverse of {@link encodeMarker}. */
export function decodeMarker(bytes: Uint8Array, channel: WireChannel): Marker {
  const { timeUs, seq, action, label } = decodeJsonItem(bytes, schemaName);
  const known = actions.find((candidate) => candidate === action);
  if (known === undefined) throw refuse("action", actions.join(" | "), action);
  if (typeof label !== "string") throw refuse("label", "a string", label);
  return { kind: "marker", stream: channel.stream, timeUs, seq, action: known, label };
}

function refuse(field: string, expected: string, actual: unknown): Error {
  return badEvent("decode", schemaName, field, expected, actual);
}
