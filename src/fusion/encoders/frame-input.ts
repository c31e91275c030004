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

/** x = (pixel − mean) / deviation of a validated frame, into `out` [height · width]. */
export function frameInput(out: Float32Array, spec: VideoSensorSpec, event: SensorEvent): void {
  if (event.kind !== "video") throw eventMismatch(event, "kind video", event.kind);
  const { pixels } = event;
  const { mean, deviation } = spec;
  for (let i = 0; i < out.length; i++) out[i] = (pixels[i]! - mean) / deviation;
}
