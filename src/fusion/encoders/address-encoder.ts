import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { DirectEncoder } from "../encoder.ts";
import type { DvsSensorSpec } from "../spec/graph-spec.ts";
import { eventMismatch } from "./event-mismatch.ts";

/**
 * One event of an event camera: the learned embedding of its pixel, then its polarity as ±1.
 *
 * @param embedding E [height · width, dimensions], row-major, pixel (x, y) at row y · width + x
 */
export function createAddressEncoder(
  spec: DvsSensorSpec,
  embedding: ArrayLike<number>,
): DirectEncoder {
  const { width, height, dimensions } = spec;
  return {
    mode: "direct",
    name: "address-embedding",
    size: dimensions + 1,
    validate: (event) => {
      const { packet } = expectDvs(event);
      if (packet.width !== width || packet.height !== height) {
        throw eventMismatch(event, `${width}×${height} pixels`, `${packet.width}×${packet.height}`);
      }
    },
    encode: (out, event, index) => {
      const { packet } = expectDvs(event);
      const row = (packet.y[index]! * width + packet.x[index]!) * dimensions;
      for (let d = 0; d < dimensions; d++) out[d] = embedding[row + d]!;
      out[dimensions] = packet.on[index] === 1 ? 1 : -1;
    },
  };
}

function expectDvs(event: SensorEvent): Extract<SensorEvent, { kind: "dvs" }> {
  if (event.kind === "dvs") return event;
  throw eventMismatch(event, "kind dvs", event.kind);
}
