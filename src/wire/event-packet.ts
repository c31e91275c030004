import type { ByteMemory } from "../sensors/byte-memory.ts";
import type { DvsEvent } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { decodeEvtEvents, evtEncodings } from "./evt-events.ts";
import { messageType, schemaNames } from "./schema.ts";
import { decodeSoa1, packSoa1 } from "./soa1.ts";
import type { WireChannel } from "./wire-channel.ts";
import {
  type Bits64,
  checkTimeUs,
  nanosecondsFromUs,
  sequenceToNumber,
  timestampFromUs,
  timestampToUs,
  type WireTimestamp,
} from "./wire-time.ts";

interface EventPacketMessage {
  readonly timestamp: WireTimestamp | null;
  readonly width: number;
  readonly height: number;
  readonly seq: Bits64;
  readonly encoding: string;
  readonly count: number;
  readonly events: Uint8Array;
  readonly is_bigendian: boolean;
}

const encodings = ["soa1", ...evtEncodings] as const;
const knownText = encodings.map((encoding) => `"${encoding}"`).join(", ");

function isKnown(encoding: string): encoding is (typeof encodings)[number] {
  return (encodings as readonly string[]).includes(encoding);
}

const schemaName = schemaNames.eventPacket;
const type = messageType(schemaName);

/** Field 9, bytes. */
const eventsTag = (9 << 3) | 2;

/**
 * polyphase.v1.EventPacket with `soa1` events. The packet's first event must be at `timeUs`.
 *
 * @param memory where the bytes may go: they are valid until it is used again
 */
export function encodeEventPacket(event: DvsEvent, memory?: ByteMemory): Uint8Array {
  const { packet, timeUs } = event;
  checkTimeUs("encode", schemaName, "timeUs", timeUs);
  const events = packSoa1(packet);
  if (packet.timeUs[0] !== timeUs) {
    throw badEvent("encode", schemaName, "packet.timeUs[0]", `timeUs ${timeUs}`, packet.timeUs[0]);
  }
  const head = type
    .encode({
      timestamp: timestampFromUs(timeUs),
      sensor_id: event.sensor,
      width: packet.width,
      height: packet.height,
      seq: event.seq,
      time_base: nanosecondsFromUs(timeUs),
      encoding: "soa1",
      count: packet.count,
    })
    .finish();
  return withEvents(head, events, memory);
}

/** Appends the last field, of which all the bytes are: so they are copied once, not three times. */
function withEvents(
  head: Uint8Array,
  events: Uint8Array,
  memory: ByteMemory | undefined,
): Uint8Array {
  const lengthBytes = events.length < 2 ** 7 ? 1 : events.length < 2 ** 14 ? 2 : 3;
  const from = head.length + 1 + lengthBytes;
  const length = from + events.length;
  const bytes = memory === undefined ? new Uint8Array(length) : memory.take(length);
  bytes.set(head);
  bytes[head.length] = eventsTag;
  // A varint of at most 98,304.
  for (let i = 1; i <= lengthBytes; i++) {
    const isLast = i === lengthBytes;
    bytes[head.length + i] = ((events.length >>> (7 * (i - 1))) & 0x7f) | (isLast ? 0 : 0x80);
  }
  bytes.set(events, from);
  return bytes;
}

/**
 * A packet of `soa1`, `evt2` or `evt3` events. `timestamp` is the host-aligned time of the first
 * event; the sensor's own clock (`time_base`, and the times in EVT words but for their distances)
 * is not used.
 */
export function decodeEventPacket(bytes: Uint8Array, channel: WireChannel): DvsEvent {
  const message = type.decode(bytes) as unknown as EventPacketMessage;
  const { encoding } = message;
  if (!isKnown(encoding)) {
    throw badEvent("decode", schemaName, "encoding", knownText, JSON.stringify(encoding));
  }
  if (message.is_bigendian) {
    throw badEvent("decode", schemaName, "is_bigendian", "false", "true");
  }
  const { width = message.width, height = message.height } = channel;
  if (message.width !== width || message.height !== height) {
    const actual = `${message.width}x${message.height}`;
    throw badEvent("decode", schemaName, "sensor size", `${width}x${height}`, actual);
  }
  const timeUs = timestampToUs(schemaName, "timestamp", message.timestamp);
  return {
    kind: "dvs",
    stream: channel.stream,
    sensor: channel.sensor,
    timeUs,
    seq: sequenceToNumber(schemaName, message.seq),
    packet:
      encoding === "soa1"
        ? decodeSoa1(message.events, message, timeUs)
        : decodeEvtEvents(encoding, message.events, message, timeUs),
  };
}
