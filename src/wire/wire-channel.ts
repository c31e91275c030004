import type { VideoCrop } from "../sensors/video/crop-picture.ts";

/**
 * What the place a message came from (MCAP channel, MQTT topic, Kafka key) says about it. The
 * stream and sensor are taken from here, never believed from the payload; where a size or a
 * convention is known, a message that differs is refused.
 */
export interface WireChannel {
  readonly stream: string;
  readonly sensor: string;
  /** Pixels of a video frame or of an event camera. */
  readonly width?: number;
  readonly height?: number;
  /** Which part of a video frame is wanted, scaled to `width` and `height`. Default: precropped. */
  readonly crop?: VideoCrop;
  /** Numbers in a feature or scalar vector. */
  readonly size?: number;
  /** Of features: which are taken. Of pictures, which do not say it themselves: how they were cut. */
  readonly convention?: string;
}
