import type { SensorStatus } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { decodeJsonItem } from "./json-item.ts";
import { schemaNames } from "./schema.ts";
import type { WireChannel } from "./wire-channel.ts";
import { checkTimeUs } from "./wire-time.ts";

const schemaName = schemaNames.status;
const statuses: readonly SensorStatus["status"][] = ["idle", "left", "joined"];

/** JSON Schema of a sensor's status, as recordings embed it. */
export const sensorStatusJsonSchema: string = JSON.stringify({
  title: schemaName,
  description: "Whether a stream waits for one of its sensors",
  type: "object",
  required: ["timeUs", "seq", "status"],
  properties: {
    timeUs: { type: "integer", minimum: 0, description: "event time in microseconds" },
    seq: { type: "integer", minimum: 0 },
    status: { type: "string", enum: statuses },
  },
});

/** A status as JSON; its stream and sensor are the channel's. */
export function encodeSensorStatus({ timeUs, seq, status }: SensorStatus): Uint8Array {
  checkTimeUs("encode", schemaName, "timeUs", timeUs);
  return new TextEncoder().encode(JSON.stringify({ timeUs, seq, status }));
}

/** The inverse of {@link encodeSensorStatus}. */
export function decodeSensorStatus(bytes: Uint8Array, channel: WireChannel): SensorStatus {
  const { timeUs, seq, status } = decodeJsonItem(bytes, schemaName);
  const known = statuses.find((candidate) => candidate === status);
  if (known === undefined) {
    throw badEvent("decode", schemaName, "status", statuses.join(" | "), status);
  }
  const { stream, sensor } = channel;
  return { kind: "status", stream, sensor, timeUs, seq, status: known };
}
