import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import type { EventSource } from "./event-source.ts";

/** What is in a file of events. */
export interface EventsSummary {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  /** Of the file if its format has packets, else as decoded. */
  readonly packets: number;
  readonly events: number;
  readonly on: number;
  readonly off: number;
  readonly triggers: number;
  /** Event times, µs; null without events. */
  readonly firstUs: number | null;
  readonly lastUs: number | null;
  /** Decimal, since the sum of times leaves the integers a JS number can hold. */
  readonly sums: { readonly t: string; readonly x: string; readonly y: string; readonly p: string };
  /** Reasons that occurred, with how often. */
  readonly anomalies: Readonly<Record<string, number>>;
}

/** Reads all events of `source` and adds them up. */
export async function summarizeEvents(source: EventSource): Promise<EventsSummary> {
  const sums = { t: 0n, x: 0n, y: 0n, p: 0n };
  let packets = 0;
  let events = 0;
  let firstUs: number | null = null;
  let lastUs: number | null = null;
  for await (const packet of source.packets()) {
    packets++;
    events += packet.count;
    if (packet.count > 0) {
      firstUs ??= packet.timeUs[0]!;
      lastUs = packet.timeUs[packet.count - 1]!;
    }
    addPacket(sums, packet);
  }
  const { size, triggers, inputPackets, anomalies } = source.report;
  return {
    format: source.format,
    width: size.width,
    height: size.height,
    packets: inputPackets > 0 ? inputPackets : packets,
    events,
    on: Number(sums.p),
    off: events - Number(sums.p),
    triggers,
    firstUs,
    lastUs,
    sums: { t: `${sums.t}`, x: `${sums.x}`, y: `${sums.y}`, p: `${sums.p}` },
    anomalies: Object.fromEntries(Object.entries(anomalies).filter(([, count]) => count > 0)),
  };
}

/** Sums within a packet stay exact in a number: times are taken relative to its first. */
function addPacket(sums: { t: bigint; x: bigint; y: bigint; p: bigint }, packet: DvsPacket): void {
  const { count, timeUs, x, y, on } = packet;
  const firstUs = timeUs[0] ?? 0;
  let t = 0;
  let sumX = 0;
  let sumY = 0;
  let p = 0;
  for (let i = 0; i < count; i++) {
    t += timeUs[i]! - firstUs;
    sumX += x[i]!;
    sumY += y[i]!;
    p += on[i]!;
  }
  sums.t += BigInt(t) + BigInt(firstUs) * BigInt(count);
  sums.x += BigInt(sumX);
  sums.y += BigInt(sumY);
  sums.p += BigInt(p);
}
