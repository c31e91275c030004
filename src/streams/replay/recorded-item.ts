import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { RecordedChannel } from "./recorded-channel.ts";

/** One item as it was recorded. */
export interface RecordedItem {
  readonly item: StreamItem;
  /** When it arrived (MCAP log time). */
  readonly receivedUs: TimeUs;
  readonly channel: RecordedChannel;
}
