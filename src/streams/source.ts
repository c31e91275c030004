import type { Observable } from "rxjs";
import type { StreamItem } from "../sensors/sensor-event.ts";
import type { TimeUs } from "../sensors/time.ts";

/**
 * One item on its way through a pipeline.
 *
 * The pipeline calls `acknowledge` exactly once per delivery, when every effect of the item (its
 * predictions, and state where the guarantee says so) is as durable as configured, or when the item
 * was dropped and counted. Until then the item holds one of the source's places in flight.
 */
export interface Delivery {
  readonly item: StreamItem;
  /** When it arrived: processing time, as recorded; absent where nobody noted it. */
  readonly receivedUs?: TimeUs;
  readonly acknowledge: () => void;
}

/**
 * Where items come from: a recording, a broker.
 *
 * `open` is called once. Subscribing starts reading; unsubscribing stops it and frees what it
 * holds. The source keeps at most its own limit of unacknowledged deliveries in flight and waits
 * beyond it. It completes at the end of input, and fails with a PolyphaseError that says where.
 */
export interface Source {
  open(): Observable<Delivery>;
}
