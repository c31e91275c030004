import type { DvsPacket } from "../../sensors/dvs/dvs-packet.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";

/*
 * A short recording of a small event camera, one 32-bit word per event in time order, so that tens
 * of thousands fit into memory: time in µs (19 bits), address y · width + x (11), ON (1).
 */
const timeMaxUs = 2 ** 19 - 1;
const addressMax = 2 ** 11 - 1;

export function packEvent(timeUs: TimeUs, address: number, on: number): number {
  return timeUs * 4096 + address * 2 + on;
}

export function timeOf(event: number): TimeUs {
  return Math.floor(event / 4096);
}

export function addressOf(event: number): number {
  return (event >>> 1) & addressMax;
}

export function isOn(event: number): number {
  return event & 1;
}

/**
 * The events of packets of one recording.
 *
 * @throws {PolyphaseError} BAD_DATA if the recording is longer, or the sensor larger, than fits
 */
export function packRecording(packets: readonly DvsPacket[]): Uint32Array {
  const events = new Uint32Array(packets.reduce((sum, packet) => sum + packet.count, 0));
  let n = 0;
  for (const packet of packets) {
    if (packet.width * packet.height - 1 > addressMax) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot pack a recording: sensor must have at most ${addressMax + 1} pixels, got ${packet.width} × ${packet.height}`,
      );
    }
    for (let i = 0; i < packet.count; i++) {
      const timeUs = packet.timeUs[i]!;
      if (!(timeUs >= 0 && timeUs <= timeMaxUs)) {
        throw new PolyphaseError(
          "BAD_DATA",
          `Cannot pack a recording: time must be from 0 to ${timeMaxUs} µs, got ${timeUs}`,
        );
      }
      events[n++] = packEvent(timeUs, packet.y[i]! * packet.width + packet.x[i]!, packet.on[i]!);
    }
  }
  return events;
}
