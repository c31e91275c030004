import type { DvsEvent, Marker, SensorEvent, SensorStatus } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { Decision } from "../../wire/decision-json.ts";
import type { Delivery } from "../source.ts";

/** Events `from` (included) to `to` (excluded) of one item; 0 to 1 for all but DVS packets. */
export interface EventRange<E extends SensorEvent | Marker = SensorEvent> {
  readonly event: E;
  readonly from: number;
  readonly to: number;
  /** Place of the sensor inside a tick; −1 for markers. */
  readonly priority: number;
  /** When the item arrived, where somebody noted it. */
  readonly receivedUs?: TimeUs | undefined;
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

/** All events of the stream before `timeUs` have gone out; ∞ at its end. For recorders. */
export interface Progress {
  readonly kind: "watermark";
  readonly stream: string;
  readonly timeUs: TimeUs;
  readonly finished: readonly Delivery[];
}

/** A sensor's status that took effect. For recorders. */
export interface MergedStatus {
  readonly kind: "status";
  readonly stream: string;
  readonly timeUs: TimeUs;
  readonly status: SensorStatus;
  readonly finished: readonly Delivery[];
}

/** The state that the stream had here when it was recorded; says nothing to the graph. */
export interface RecordedKeyframe {
  readonly kind: "keyframe";
  readonly stream: string;
  readonly timeUs: TimeUs;
  /** As `encodeCheckpoint` makes it. */
  readonly checkpoint: Uint8Array;
  readonly finished: readonly Delivery[];
}

/** Something that was decided between two ticks of a recorded run. */
export interface MergedDecision {
  readonly kind: "decision";
  readonly stream: string;
  readonly timeUs: TimeUs;
  readonly decision: Decision;
  readonly finished: readonly Delivery[];
}

/** A stream in event-time order. */
export type MergedItem =
  | Tick
  | Run
  | MergedMarker
  | LateEvents
  | Discontinuity
  | Progress
  | MergedStatus
  | MergedDecision
  | RecordedKeyframe;
