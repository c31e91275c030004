import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { VideoSensorSpec } from "../spec/graph-spec.ts";
import { eventMismatch } from "./event-mismatch.ts";

/** @throws {PolyphaseError} BAD_EVENT if `event` is not a frame of this sensor's size and convention */
export function validateFrame(spec: VideoSensorSpec, event: SensorEvent): void {
  if (event.kind !== "video") throw eventMismatch(event, "kind video", event.kind);
  if (event.width !== spec.width || event.height !== spec.height) {
    throw eventMismatch(
      event,
      `${spec.width}×${spec.height} pixels`,
      `${event.width}×${event.height}`,
    );
  }
  if (spec.convention !== undefined && event.convention !== spec.convention) {
    throw eventMismatch(event, `frames ${spec.convention}`, event.convention ?? "no convention");
  }
}

/** Makes the function that writes x = (pixel − mean) / deviation for as many pixels as `out` holds. */
export function createFrameInput({
  mean,
  deviation,
}: VideoSensorSpec): (out: Float32Array, pixels: Uint8Array) => void {
  const inputOf = Float32Array.from({ length: 256 }, (_, pixel) => (pixel - mean) / deviation);
  return (out, pixels) => {
    const { length } = out;
    let i = 0;
    // Four at a time take half as long.
    for (; i + 4 <= length; i += 4) {
      out[i] = inputOf[pixels[i]!]!;
      out[i + 1] = inputOf[pixels[i + 1]!]!;
      out[i + 2] = inputOf[pixels[i + 2]!]!;
      out[i + 3] = inputOf[pixels[i + 3]!]!;
    }
    for (; i < length; i++) out[i] = inputOf[pixels[i]!]!;
  };
}
