import type { AddressBatch } from "../../cells/kernels/wasm-address-layer.ts";
import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";
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

/**
 * All inputs that {@link createAddressEncoder} can give, for a layer that multiplies them with its
 * weights beforehand.
 *
 * @param embedding as for createAddressEncoder
 * @returns [2 · height · width, dimensions + 1]; row 2 · (y · width + x) is pixel (x, y) OFF, the
 *   next one ON
 */
export function addressVectors(spec: DvsSensorSpec, embedding: ArrayLike<number>): Float32Array {
  const { width, height, dimensions } = spec;
  const length = dimensions + 1;
  const vectors = new Float32Array(2 * height * width * length);
  for (let row = 0; row < 2 * height * width; row++) {
    const from = (row >> 1) * dimensions;
    for (let d = 0; d < dimensions; d++) vectors[row * length + d] = embedding[from + d]!;
    vectors[row * length + dimensions] = row & 1 ? 1 : -1;
  }
  return vectors;
}

/**
 * Puts `count` events of a packet, from event `from` on, at the beginning of a batch of a layer made
 * of {@link addressVectors}.
 *
 * @throws RangeError if the packet has not got so many, or the batch no room for them
 */
export function fillAddressBatch(
  { timesUs, addresses }: AddressBatch,
  packet: DvsPacket,
  from = 0,
  count: number = packet.count - from,
): void {
  if (!(from >= 0 && count >= 0 && from + count <= packet.count && count <= timesUs.length)) {
    throw new RangeError(
      `Cannot fill batch of ${timesUs.length} events: from ${from}, ${count} must be in the packet's ${packet.count}`,
    );
  }
  const { width, timeUs, x, y, on } = packet;
  timesUs.set(timeUs.subarray(from, from + count));
  for (let n = 0; n < count; n++) {
    addresses[n] = 2 * (y[from + n]! * width + x[from + n]!) + on[from + n]!;
  }
}

function expectDvs(event: SensorEvent): Extract<SensorEvent, { kind: "dvs" }> {
  if (event.kind === "dvs") return event;
  throw eventMismatch(event, "kind dvs", event.kind);
}
