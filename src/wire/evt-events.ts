import { joinDvsPackets } from "../sensors/dvs/codecs/decode-whole.ts";
import { createEvtPayload } from "../sensors/dvs/codecs/prophesee/raw-decoder.ts";
import type { DecodedDvsPacket } from "../sensors/dvs/codecs/stream/packet-builder.ts";
import { createDecoderCounts } from "../sensors/dvs/codecs/stream/payload-decoder.ts";
import { StreamingDecoder } from "../sensors/dvs/codecs/stream/streaming-decoder.ts";
import type { DvsPacket } from "../sensors/dvs/dvs-packet.ts";
import type { TimeUs } from "../sensors/time.ts";
import { badEvent } from "./bad-event.ts";
import { schemaNames } from "./schema.ts";
import { soa1EventsMax, soa1GapUsMax } from "./soa1.ts";

/** Encodings of events that are a camera's own words. */
export const evtEncodings = ["evt2", "evt3"] as const;

/**
 * The events of one self-contained run of EVT words: it begins with the time and, in EVT 3.0, the
 * row of its first event. Triggers among them are skipped.
 *
 * @param shape sensor size; `count` events, or 0 if the sender did not count
 * @param firstUs time of the first event; the others keep their distance to it
 * @throws {PolyphaseError} BAD_EVENT for anything a file decoder would count as an anomaly, and for
 *   what `soa1` cannot hold: no event, more than 16,384, more than 65,535 µs between two
 */
export function decodeEvtEvents(
  encoding: (typeof evtEncodings)[number],
  bytes: Uint8Array,
  shape: { readonly count: number; readonly width: number; readonly height: number },
  firstUs: TimeUs,
): DvsPacket {
  const counts = createDecoderCounts();
  const decoder = new StreamingDecoder(createEvtPayload(encoding, counts), counts, shape);
  decoder.push(bytes);
  decoder.end();
  const packets: DecodedDvsPacket[] = [];
  let events = 0;
  for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
    packets.push(packet);
    events += packet.count;
    // What a few bytes stand for is limited before it is kept.
    if (events > soa1EventsMax)
      throw refuse(encoding, "events", `at most ${soa1EventsMax}`, events);
  }
  for (const [reason, count] of Object.entries(decoder.anomalies)) {
    if (count > 0) throw refuse(encoding, "events", `without ${reason}`, count);
  }
  if (events === 0 || (shape.count !== 0 && shape.count !== events)) {
    throw refuse(encoding, "events", `${shape.count || "at least 1"}`, events);
  }
  return shifted(encoding, joinDvsPackets(packets), firstUs);
}

/** Moves the first event to `firstUs`, in place. */
function shifted(encoding: string, packet: DvsPacket, firstUs: TimeUs): DvsPacket {
  const { count, timeUs } = packet;
  const shiftUs = firstUs - timeUs[0]!;
  let beforeUs = timeUs[0]!;
  for (let i = 0; i < count; i++) {
    const gapUs = timeUs[i]! - beforeUs;
    beforeUs = timeUs[i]!;
    if (gapUs > soa1GapUsMax) {
      throw refuse(encoding, `time of event ${i}`, `at most ${soa1GapUsMax} µs later`, gapUs);
    }
    timeUs[i] = beforeUs + shiftUs;
  }
  return packet;
}

function refuse(encoding: string, field: string, expected: string, actual: unknown): Error {
  return badEvent("decode", `${schemaNames.eventPacket} (${encoding})`, field, expected, actual);
}
