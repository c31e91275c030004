import { copyDvsColumns, createDvsPacket, type DvsPacket } from "../dvs-packet.ts";
import type { DvsDecoder } from "./dvs-decoder.ts";
import type { DecodedDvsPacket } from "./stream/packet-builder.ts";

/**
 * All packets of a recording that is in memory.
 *
 * @param decoder a fresh one; its counters are complete afterwards
 * @throws {PolyphaseError} BAD_DATA if the bytes cannot be of the decoder's format
 */
export function decodeWhole(decoder: DvsDecoder, bytes: Uint8Array): DecodedDvsPacket[] {
  const packets: DecodedDvsPacket[] = [];
  decoder.push(bytes);
  decoder.end();
  for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
    packets.push(packet);
  }
  return packets;
}

/** The events of several packets of one camera in one packet of any length. */
export function joinDvsPackets(packets: readonly DvsPacket[]): DvsPacket {
  const count = packets.reduce((sum, packet) => sum + packet.count, 0);
  const joined = createDvsPacket(packets[0]?.width ?? 0, packets[0]?.height ?? 0, count);
  let at = 0;
  for (const packet of packets) {
    copyDvsColumns(packet, packet.count, joined, at);
    at += packet.count;
  }
  return joined;
}
