import type { StreamItem } from "../sensors/sensor-event.ts";
import { itemSchema } from "./item-codec.ts";
import { rfc3339FromUs } from "./rfc3339.ts";

/** CloudEvents 1.0 context attributes of one item. */
export interface CloudEventAttributes {
  readonly specversion: "1.0";
  /** `<sensor>:<seq>`; with `source`, the key that finds duplicates under at-least-once delivery. */
  readonly id: string;
  /** URI reference of what sends: one per stream. */
  readonly source: string;
  readonly type: string;
  /** Event time. */
  readonly time: string;
  readonly subject: string;
  /** Extension: how a picture was cut, which its payload has no field for. */
  readonly convention?: string;
}

const typeByKind: Readonly<Record<StreamItem["kind"], string>> = {
  audio: "io.polyphase.features.v1",
  video: "io.polyphase.frame.v1",
  dvs: "io.polyphase.events.v1",
  scalar: "io.polyphase.scalars.v1",
  marker: "io.polyphase.marker.v1",
  status: "io.polyphase.sensor-status.v1",
};

const contentTypes = { protobuf: "application/x-protobuf", json: "application/json" } as const;

/** The attributes of `item`, sent by `source`. */
export function cloudEventAttributes(item: StreamItem, source: string): CloudEventAttributes {
  const subject = item.kind === "marker" ? "markers" : item.sensor;
  return {
    specversion: "1.0",
    id: `${subject}:${item.seq}`,
    source,
    type: typeByKind[item.kind],
    time: rfc3339FromUs(item.timeUs),
    subject,
    ...(item.kind === "video" && item.convention !== undefined
      ? { convention: item.convention }
      : {}),
  };
}

/**
 * Headers of a Kafka record in binary mode (CloudEvents Kafka binding 3.2). The SDK needs some 30 µs
 * for them and adds headers that are `undefined`, which kafkajs refuses.
 */
export function kafkaHeaders(item: StreamItem, source: string): Record<string, string> {
  const headers: Record<string, string> = { "content-type": contentTypeOf(item) };
  for (const [name, value] of Object.entries(cloudEventAttributes(item, source))) {
    headers[`ce_${name}`] = value;
  }
  return headers;
}

/** Properties of an MQTT 5 PUBLISH in binary mode (CloudEvents MQTT binding 3.1). */
export function mqttProperties(
  item: StreamItem,
  source: string,
): { contentType: string; userProperties: Record<string, string> } {
  return {
    contentType: contentTypeOf(item),
    userProperties: { ...cloudEventAttributes(item, source) },
  };
}

function contentTypeOf(item: StreamItem): string {
  return contentTypes[itemSchema(item.kind).encoding];
}
