import type { DvsEvent, Marker, SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { Delivery } from "../source.ts";

/** Events `from` (included) to `to` (excluded) of one item; 0 to 1 for all but DVS packets. */
export interface EventRange<E extends SensorEvent | Marker = SensorEvent> {
  readonly event: E;
  readonly from: number;
  readonly to: number;
  /** Place of the sensor inside a tick; −1 for markers. */
  readonly priority: number;
}

/** All events of a stream at one time, in order of (sensor priority, seq). */
export interface Tick {
  readonly kind: "tick";
  readonly stream: string;
  readonly timeUs: TimeUs;
  readonly ranges: readonly EventRange[];
  /** Deliveries whose last event this is. */
  readonly finished: readonly Delivery[];
}

/** Several ticks in a row of one DVS packet, with no event of another sensor at or between them. */
export interface Run {
  readonly kind: "run";
  readonly stream: string;
  readonly timeUs: TimeUs;
  readonly range: EventRange<DvsEvent>;
  readonly finished: readonly Delivery[];
}

/** A marker whose time has come. */
export interface MergedMarker {
  readonly kind: "marker";
  readonly stream: string;
  readonly timeUs: TimeUs;
  readonly marker: Marker;
  readonly finished: readonly Delivery[];
}

/** Events that came after their time was over, where the late policy wants them all the same. */
export interface LateEvents {
  readonly kind: "late";
  readonly stream: string;
  /** Time of the first. */
  readonly timeUs: TimeUs;
  readonly range: EventRange<SensorEvent | Marker>;
  readonly finished: readonly Delivery[];
}

/**
 * A sensor's next event, which follows at once, does not continue the one before: what derives
 * features from several events must begin anew and not bridge the hole.
 */
export interface Discontinuity {
  readonly kind: "discontinuity";
  readonly stream: string;
  readonly sensor: string;
  readonly timeUs: TimeUs;
  /** `seq-gap`: items are missing; `reboot`: the sensor counts from the beginning again. */
  readonly reason: "seq-gap" | "reboot";
  /** Items missing; 0 after a reboot, where nobody can know. */
  readonly missing: number;
  readonly finished: readonly Delivery[];
}

/** A stream in event-time order. */
export type MergedItem = Tick | Run | MergedMarker | LateEvents | Discontinuity;
