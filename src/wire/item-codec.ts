import type { ByteMemory } from "../sensors/byte-memory.ts";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { SensorKind, StreamItem } from "../sensors/sensor-event.ts";
import { decodeCompressedImage } from "./compressed-image.ts";
import { decodeEventColumns, eventColumnsJsonSchema } from "./event-columns-json.ts";
import { decodeEventPacket, encodeEventPacket } from "./event-packet.ts";
import { decodeFeatureFrame, encodeFeatureFrame } from "./feature-frame.ts";
import { decodeMarker, encodeMarker, markerJsonSchema } from "./marker-json.ts";
import { decodeRawImage, encodeRawImage } from "./raw-image.ts";
import { decodeScalarFrame, encodeScalarFrame } from "./scalar-frame.ts";
import { fileDescriptorSet, schemaNames } from "./schema.ts";
import { decodeSensorStatus, encodeSensorStatus, sensorStatusJsonSchema } from "./status-json.ts";
import type { WireChannel } from "./wire-channel.ts";

/** How the items of one kind travel. */
export interface ItemSchema {
  readonly kind: StreamItem["kind"];
  /** Full name of the message type. */
  readonly name: string;
  /** How messages are encoded. */
  readonly encoding: "protobuf" | "json";
  /** How `data()`, the schema that recordings embed, is encoded (MCAP registry name). */
  readonly schemaEncoding: "protobuf" | "jsonschema";
  readonly data: () => Uint8Array;
  /** See {@link decodeItem}. */
  readonly decode: (bytes: Uint8Array, channel: WireChannel, seq: number) => StreamItem;
}

function protobufSchema(kind: SensorKind, name: string, decode: ItemSchema["decode"]): ItemSchema {
  return {
    kind,
    name,
    encoding: "protobuf",
    schemaEncoding: "protobuf",
    data: () => fileDescriptorSet(name),
    decode,
  };
}

function jsonSchema(
  kind: ItemSchema["kind"],
  name: string,
  schema: string,
  decode: ItemSchema["decode"],
): ItemSchema {
  return {
    kind,
    name,
    encoding: "json",
    schemaEncoding: "jsonschema",
    data: () => new TextEncoder().encode(schema),
    decode,
  };
}

/** What items of each kind are written with. */
const schemaByKind: Readonly<Record<StreamItem["kind"], ItemSchema>> = {
  audio: protobufSchema("audio", schemaNames.featureFrame, decodeFeatureFrame),
  video: protobufSchema("video", schemaNames.rawImage, decodeRawImage),
  dvs: protobufSchema("dvs", schemaNames.eventPacket, decodeEventPacket),
  scalar: protobufSchema("scalar", schemaNames.scalarFrame, decodeScalarFrame),
  marker: jsonSchema("marker", schemaNames.marker, markerJsonSchema, decodeMarker),
  status: jsonSchema("status", schemaNames.status, sensorStatusJsonSchema, decodeSensorStatus),
};

/** What is read: the same, pictures as cameras send them, and events as people write them by hand. */
const readable: readonly ItemSchema[] = [
  ...Object.values(schemaByKind),
  protobufSchema("video", schemaNames.compressedImage, decodeCompressedImage),
  jsonSchema("dvs", schemaNames.eventPacket, eventColumnsJsonSchema, decodeEventColumns),
];

/** The schema items of `kind` are written with. */
export function itemSchema(kind: StreamItem["kind"]): ItemSchema {
  return schemaByKind[kind];
}

/** The schema called `name` if {@link decodeItem} knows it in that message encoding. */
export function findItemSchema(name: string, encoding: string): ItemSchema | undefined {
  for (const schema of readable) {
    if (schema.name === name && schema.encoding === encoding) return schema;
  }
  return undefined;
}

/**
 * The bytes of one item, in the schema of its kind. Throws BAD_EVENT for what must not be sent.
 *
 * @param memory where they may go: the bytes are valid until it is used again
 */
export function encodeItem(item: StreamItem, memory?: ByteMemory): Uint8Array {
  switch (item.kind) {
    case "audio":
      return encodeFeatureFrame(item);
    case "video":
      return encodeRawImage(item);
    case "dvs":
      return encodeEventPacket(item, memory);
    case "scalar":
      return encodeScalarFrame(item);
    case "marker":
      return encodeMarker(item);
    case "status":
      return encodeSensorStatus(item);
  }
}

/**
 * The item in `bytes`: the one place where what comes from outside is validated. The item owns its
 * memory. `seq` is the transport's sequence number, used where the schema has no field for one.
 *
 * Throws BAD_EVENT that says which field was expected to be what: unknown schemas, NaN and
 * infinities, wrong sizes, times that are not whole microseconds.
 */
export function decodeItem(
  schemaName: string,
  encoding: string,
  bytes: Uint8Array,
  channel: WireChannel,
  seq: number,
): StreamItem {
  const schema = findItemSchema(schemaName, encoding);
  if (schema === undefined) {
    const known = readable.map((one) => `${one.name} (${one.encoding})`).join(", ");
    const reason = `the schema must be one of ${known}`;
    throw new PolyphaseError("BAD_EVENT", `Cannot decode ${schemaName} (${encoding}): ${reason}`);
  }
  try {
    return schema.decode(bytes, channel, seq);
  } catch (error) {
    if (error instanceof PolyphaseError) throw error;
    throw malformed(schemaName, error as Error);
  }
}

/** protobufjs says what it choked on: a wire type, an index past the end. */
function malformed(schemaName: string, cause: Error): PolyphaseError {
  return new PolyphaseError("BAD_EVENT", `Cannot decode ${schemaName}: ${cause.message}`, {
    cause,
  });
}
