import type { DvsPacket } from "./dvs/dvs-packet.ts";
import type { TimeUs } from "./time.ts";

/** What every item of a sensor carries. */
interface SensorItem {
  /** The fused scene this sensor belongs to. */
  readonly stream: string;
  /** Name of the sensor within its stream. */
  readonly sensor: string;
  /** Event time. For a DVS packet: the time of its first event. */
  readonly timeUs: TimeUs;
  /** Counts up by one per item of the sensor; orders items of equal time (spec D16). */
  readonly seq: number;
}

/** One audio feature vector, e.g. 39 MFCC coefficients. */
export interface AudioEvent extends SensorItem {
  readonly kind: "audio";
  /** How `values` were computed, e.g. `mfcc39/psf-hamming/v1`. Must equal the model's. */
  readonly convention: string;
  /** When the last sample the vector needs had been heard; `timeUs` is the window's centre. */
  readonly availableUs: TimeUs;
  readonly values: Float32Array;
}

/** One 8-bit grey video frame, row by row. */
export interface VideoEvent extends SensorItem {
  readonly kind: "video";
  /**
   * How it was cut out of a camera's picture, e.g. `crop/fixed-123,176,71,71/v1`; absent where nobody
   * said. Must equal the model's where that has one.
   */
  readonly convention?: string;
  readonly width: number;
  readonly height: number;
  /** `width · height` grey values. */
  readonly pixels: Uint8Array;
}

/** Several events of an event camera in one item. */
export interface DvsEvent extends SensorItem {
  readonly kind: "dvs";
  readonly packet: DvsPacket;
}

/** Plain numbers: temperature, IMU axes, anything already a vector. */
export interface ScalarEvent extends SensorItem {
  readonly kind: "scalar";
  readonly values: Float32Array;
}

export type SensorEvent = AudioEvent | VideoEvent | DvsEvent | ScalarEvent;

export type SensorKind = SensorEvent["kind"];

/**
 * A point in a stream's time that no sensor measured: where a session or a segment begins or ends.
 * Markers come before the sensor events of the same time.
 */
export interface Marker {
  readonly kind: "marker";
  readonly stream: string;
  readonly timeUs: TimeUs;
  readonly seq: number;
  readonly action: "session-start" | "segment-start" | "segment-end";
  /** What the segment shows, where somebody knows it. Never given to the graph. */
  readonly label: string;
}

/**
 * Whether a stream still waits for one of its sensors. Decided once, outside of the merge (by a clock
 * in live operation, by an operator), and recorded like any item, so that a replay decides the same.
 */
export interface SensorStatus extends SensorItem {
  readonly kind: "status";
  /**
   * `idle`: not waited for until its next event that is in time. `left`: not waited for until it
   * joins. `joined`: waited for.
   */
  readonly status: "idle" | "left" | "joined";
}

/** What flows through a pipeline. */
export type StreamItem = SensorEvent | Marker | SensorStatus;
