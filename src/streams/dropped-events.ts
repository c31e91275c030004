import type { StreamItem } from "../sensors/sensor-event.ts";
import type { DropReason } from "../telemetry/event-counts.ts";

/** Events `from` (included) to `to` (excluded) of an item that will not reach the graph. */
export interface DroppedEvents {
  readonly reason: DropReason;
  readonly item: StreamItem;
  readonly from: number;
  readonly to: number;
}

/** The side output: hears of every event that is dropped, when it is counted. */
export type DropListener = (dropped: DroppedEvents) => void;
