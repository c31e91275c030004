import { dvsPacketView } from "../../sensors/dvs/dvs-packet.ts";
import { itemLength, timeAt } from "../../sensors/item-events.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";

/** True for items of these sensors, of any if there is no choice, and for markers. */
export function isOf(sensors: ReadonlySet<string> | undefined, item: StreamItem): boolean {
  return sensors === undefined || item.kind === "marker" || sensors.has(item.sensor);
}

/** The events of an item before `endUs`; undefined if there is none. */
export function itemBefore(item: StreamItem, endUs: TimeUs | undefined): StreamItem | undefined {
  if (endUs === undefined) return item;
  const length = itemLength(item);
  if (length === 0 || timeAt(item, length - 1) < endUs) return item;
  if (item.kind !== "dvs" || item.timeUs >= endUs) return undefined;
  const count = item.packet.timeUs.subarray(0, length).findIndex((timeUs) => timeUs >= endUs);
  return { ...item, packet: dvsPacketView(item.packet, 0, count) };
}
