import type { StreamItem } from "./sensor-event.ts";
import type { TimeUs } from "./time.ts";

/** Events of a packet; any other item, markers too, counts as one. */
export function itemLength(item: StreamItem): number {
  return item.kind === "dvs" ? item.packet.count : 1;
}

/** Time of event `index` of a packet, or of any other item. */
export function timeAt(item: StreamItem, index: number): TimeUs {
  return item.kind === "dvs" ? item.packet.timeUs[index]! : item.timeUs;
}
