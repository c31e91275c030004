import type { TimeUs } from "../sensors/time.ts";
import { badEvent } from "./bad-event.ts";
import { parseJsonObject } from "./parse-json-object.ts";
import { schemaNames } from "./schema.ts";
import { checkTimeUs } from "./wire-time.ts";

const schemaName = schemaNames.watermark;

/** JSON Schema of a watermark, as recordings embed it. */
export const watermarkJsonSchema: string = JSON.stringify({
  title: schemaName,
  description: "All events of the stream before timeUs lie before this message, no other does",
  type: "object",
  required: ["timeUs"],
  properties: {
    timeUs: { type: "integer", minimum: 0, description: "event time in microseconds" },
  },
});

/** A watermark as JSON; its stream is the channel's. */
export function encodeWatermark(timeUs: TimeUs): Uint8Array {
  checkTimeUs("encode", schemaName, "timeUs", timeUs);
  return new TextEncoder().encode(JSON.stringify({ timeUs }));
}

/**
 * The inverse of {@link encodeWatermark}.
 *
 * @throws {PolyphaseError} BAD_EVENT
 */
export function decodeWatermark(bytes: Uint8Array): TimeUs {
  const { timeUs } = parseJsonObject(schemaName, bytes);
  if (typeof timeUs !== "number") {
    throw badEvent("decode", schemaName, "timeUs", "a number", timeUs);
  }
  checkTimeUs("decode", schemaName, "timeUs", timeUs);
  return timeUs;
}
