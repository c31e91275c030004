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

/** What flows through a pipeline. */
export type StreamItem = SensorEvent | Marker;
