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
  const { count } = packet;
  for (let from = 0; from < count; ) {
    const to = partEnd(packet, from, limits);
    yield dvsPacketView(packet, from, to);
    from = to;
  }
}

/** Index behind the last event of the part that begins at `from`. */
function partEnd({ count, timeUs }: DvsPacket, from: number, limits: PacketLimits): number {
  const { spanUsMax } = limits;
  const fullEnd = Math.min(from + Math.min(limits.eventsMax, soa1EventsMax), count);
  const firstUs = timeUs[from]!;
  const end =
    timeUs[fullEnd - 1]! - firstUs > spanUsMax
      ? firstAfter(timeUs, firstUs + spanUsMax, from, fullEnd)
      : fullEnd;
  // Within so short a time there is no such gap.
  if (timeUs[end - 1]! - firstUs <= soa1GapUsMax) return end;
  let i = from + 1;
  while (i < end && timeUs[i]! - timeUs[i - 1]! <= soa1GapUsMax) i++;
  return i;
}

/** The first index from `from` to `to` of a time after `untilUs`; times never decrease. */
function firstAfter(timeUs: Float64Array, untilUs: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timeUs[middle]! > untilUs) high = middle;
    else low = middle + 1;
  }
  return low;
}
