import { type DvsPacket, dvsPacketView } from "../sensors/dvs/dvs-packet.ts";
import { soa1EventsMax, soa1GapUsMax } from "./soa1.ts";

/** When a packet is full. */
export interface PacketLimits {
  /** 1 to 16,384. */
  readonly eventsMax: number;
  /** Longest time from a packet's first to its last event. */
  readonly spanUsMax: number;
}

/** What a live camera would send: at most 200 packets/s when quiet, 2 ms packets when busy. */
export const livePacketLimits: PacketLimits = { eventsMax: 1000, spanUsMax: 5000 };

/**
 * Splits `packet` into views that each fit one `soa1` packet and keep `limits`: a new packet starts
 * where the old one is full, is too old, or where more than 65,535 µs pass without an event.
 */
export function* splitDvsPacket(packet: DvsPacket, limits: PacketLimits): Generator<DvsPacket> {
  const { count, timeUs } = packet;
  const eventsMax = Math.min(limits.eventsMax, soa1EventsMax);
  let from = 0;
  for (let i = 1; i < count; i++) {
    const full =
      i - from >= eventsMax ||
      timeUs[i]! - timeUs[from]! > limits.spanUsMax ||
      timeUs[i]! - timeUs[i - 1]! > soa1GapUsMax;
    if (full) {
      yield dvsPacketView(packet, from, i);
      from = i;
    }
  }
  if (from < count) yield dvsPacketView(packet, from, count);
}
