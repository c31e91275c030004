import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import { schemaNames } from "../../wire/schema.ts";

/** What a topic says about the messages in it. */
export interface MqttTopic {
  readonly stream: string;
  /** Of markers, which no sensor measured: `markers`. */
  readonly sensor: string;
  readonly schemaName: string;
  readonly encoding: "protobuf" | "json";
}

/** The last two levels of a topic. They alone decide how a payload is read, also under MQTT 3.1.1. */
const schemasBySuffix: Readonly<Record<string, Pick<MqttTopic, "schemaName" | "encoding">>> = {
  "features/pb": { schemaName: schemaNames.featureFrame, encoding: "protobuf" },
  "frame/pb": { schemaName: schemaNames.rawImage, encoding: "protobuf" },
  "picture/pb": { schemaName: schemaNames.compressedImage, encoding: "protobuf" },
  "events/pb": { schemaName: schemaNames.eventPacket, encoding: "protobuf" },
  "events/json": { schemaName: schemaNames.eventPacket, encoding: "json" },
  "scalars/pb": { schemaName: schemaNames.scalarFrame, encoding: "protobuf" },
  "marker/json": { schemaName: schemaNames.marker, encoding: "json" },
  "status/json": { schemaName: schemaNames.status, encoding: "json" },
};

const suffixByKind: Readonly<Record<StreamItem["kind"], string>> = {
  audio: "features/pb",
  video: "frame/pb",
  dvs: "events/pb",
  scalar: "scalars/pb",
  marker: "marker/json",
  status: "status/json",
};

/** `<prefix>/<stream>/<sensor>/<what>/<encoding>`, names percent-encoded. */
export function topicOf(prefix: string, item: StreamItem): string {
  const sensor = item.kind === "marker" ? "markers" : item.sensor;
  return `${streamTopic(prefix, item.stream)}/${encodeURIComponent(sensor)}/${suffixByKind[item.kind]}`;
}

/** `<prefix>/<stream>`, the stream percent-encoded: a name must not reach into other topics. */
export function streamTopic(prefix: string, stream: string): string {
  return `${prefix}/${encodeURIComponent(stream)}`;
}

/** The filter that all topics of {@link topicOf} match, of one stream or of all. */
export function topicFilter(prefix: string, stream?: string): string {
  return `${stream === undefined ? `${prefix}/+` : streamTopic(prefix, stream)}/+/+/+`;
}

/** @throws {PolyphaseError} BAD_EVENT for a topic that is not `<prefix>/<stream>/<sensor>/…` */
export function parseTopic(prefix: string, topic: string): MqttTopic {
  const levels = topic.slice(prefix.length + 1).split("/");
  const schema = schemasBySuffix[levels.slice(2).join("/")];
  const [stream = "", sensor = ""] = levels.slice(0, 2).map(decodeName);
  if (!topic.startsWith(`${prefix}/`) || schema === undefined || stream === "" || sensor === "") {
    const suffixes = Object.keys(schemasBySuffix).join(", ");
    const expected = `${prefix}/<stream>/<sensor>/ and one of ${suffixes}`;
    throw new PolyphaseError(
      "BAD_EVENT",
      `the topic must be ${expected}; got ${JSON.stringify(topic)}`,
    );
  }
  return { stream, sensor, ...schema };
}

/** @returns the empty string, which no name may be, for what is not percent-encoded text */
function decodeName(level: string): string {
  try {
    return decodeURIComponent(level);
  } catch {
    return "";
  }
}

/** @throws {PolyphaseError} USAGE unless `prefix` is topic levels without wildcards */
export function checkPrefix(prefix: string): string {
  if (/^[^/+#$\0][^+#\0]*$/.test(prefix) && !prefix.endsWith("/") && !prefix.includes("//")) {
    return prefix;
  }
  const rule = "levels joined by /, without wildcards, not beginning with $ or /";
  throw new PolyphaseError(
    "USAGE",
    `A topic prefix must be ${rule}; got ${JSON.stringify(prefix)}`,
  );
}
