import type { ByteMemory } from "../sensors/byte-memory.ts";
import type { DvsEvent } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { decodeEvtEvents, evtEncodings } from "./evt-events.ts";
import { ProtoWriter } from "./proto-writer.ts";
import { messageType, schemaNames } from "./schema.ts";
import { decodeSoa1, packSoa1 } from "./soa1.ts";
import type { WireChannel } from "./wire-channel.ts";
import {
  type Bits64,
  checkTimeUs,
  nanosecondsFromUs,
  sequenceToNumber,
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

const writer = new ProtoWriter();

/**
 * polyphase.v1.EventPacket with `soa1` events. The packet's first event must be at `timeUs`.
 *
 * @param memory where the bytes may go: they are valid until it is used again
 */
export function encodeEventPacket(event: DvsEvent, memory?: ByteMemory): Uint8Array {
  const { packet, timeUs } = event;
  checkTimeUs("encode", schemaName, "timeUs", timeUs);
  if (!Number.isSafeInteger(event.seq) || event.seq < 0) {
    throw badEvent("encode", schemaName, "seq", "a whole number from 0 to 2^53 - 1", event.seq);
  }
  const events = packSoa1(packet);
  if (packet.timeUs[0] !== timeUs) {
    throw badEvent("encode", schemaName, "packet.timeUs[0]", `timeUs ${timeUs}`, packet.timeUs[0]);
  }
  writeHead(event);
  writer.size(9, events.length);
  // The events are all but some dozens of the bytes: so they are copied once.
  const length = writer.length + events.length;
  const bytes = memory === undefined ? new Uint8Array(length) : memory.take(length);
  writer.copyTo(bytes);
  bytes.set(events, writer.length);
  return bytes;
}

/** Writes all fields before the events. */
function writeHead({ sensor, seq, timeUs, packet }: DvsEvent): void {
  writer.reset();
  writer.timestamp(1, timeUs);
  writer.text(2, sensor);
  writer.whole(3, packet.width);
  writer.whole(4, packet.height);
  writer.whole(5, seq);
  writer.fixed64(6, nanosecondsFromUs(timeUs));
  writer.text(7, "soa1");
  writer.whole(8, packet.count);
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
