import { createDvsPacket } from "../../src/sensors/dvs/dvs-packet.ts";
import type { DvsEvent, Marker, ScalarEvent, StreamItem } from "../../src/sensors/sensor-event.ts";
import type { Delivery } from "../../src/streams/source.ts";

/** A scalar event of stream `s`. */
export function scalar(sensor: string, timeUs: number, seq = 0, ...values: number[]): ScalarEvent {
  return {
    kind: "scalar",
    stream: "s",
    sensor,
    timeUs,
    seq,
    values: Float32Array.from(values.length > 0 ? values : [timeUs / 1000]),
  };
}

/** A DVS packet of stream `s` with one event per time, on a 4×4 sensor. */
export function dvs(sensor: string, times: readonly number[], seq = 0): DvsEvent {
  const packet = createDvsPacket(4, 4, times.length);
  packet.timeUs.set(times);
  times.forEach((timeUs, i) => {
    packet.x[i] = timeUs % 4;
    packet.y[i] = i % 4;
    packet.on[i] = i % 2;
  });
  return { kind: "dvs", stream: "s", sensor, timeUs: times[0]!, seq, packet };
}

export function marker(action: Marker["action"], timeUs: number, label = ""): Marker {
  return { kind: "marker", stream: "s", timeUs, seq: 0, action, label };
}

/** Deliveries of items that note which of them were acknowledged. */
export function deliveriesOf(items: readonly StreamItem[]): {
  readonly deliveries: readonly Delivery[];
  readonly acknowledged: number[];
} {
  const acknowledged: number[] = [];
  const deliveries = items.map((item, i) => ({ item, acknowledge: () => acknowledged.push(i) }));
  return { deliveries, acknowledged };
}
