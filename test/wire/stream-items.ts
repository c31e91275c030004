import fc from "fast-check";
import { createDvsPacket } from "../../src/sensors/dvs/dvs-packet.ts";
import type {
  AudioEvent,
  DvsEvent,
  Marker,
  ScalarEvent,
  SensorStatus,
  StreamItem,
  VideoEvent,
} from "../../src/sensors/sensor-event.ts";

/** One item of each kind, with times that 64-bit nanoseconds in a float would lose. */
const sampleUs = 1_700_000_000_123_457;

export function audioEvent(seq = 0, timeUs: number = sampleUs): AudioEvent {
  return {
    kind: "audio",
    stream: "scene",
    sensor: "audio",
    timeUs,
    availableUs: timeUs + 52_500,
    seq,
    convention: "mfcc39/psf-hamming/v1",
    values: Float32Array.from({ length: 39 }, (_, i) => Math.sin(i + seq)),
  };
}

export function videoEvent(seq = 0, timeUs: number = sampleUs): VideoEvent {
  const pixels = Uint8Array.from({ length: 48 * 48 }, (_, i) => (i * 7 + seq) & 255);
  return {
    kind: "video",
    stream: "scene",
    sensor: "video",
    timeUs,
    seq,
    width: 48,
    height: 48,
    pixels,
  };
}

export function dvsEvent(seq = 0, timeUs: number = sampleUs, count = 5): DvsEvent {
  const packet = createDvsPacket(34, 34, count);
  for (let i = 0; i < count; i++) {
    packet.timeUs[i] = timeUs + 3 * i;
    packet.x[i] = (i * 5) % 34;
    packet.y[i] = (i * 11) % 34;
    packet.on[i] = i & 1;
  }
  return { kind: "dvs", stream: "scene", sensor: "dvs", timeUs, seq, packet };
}

export function scalarEvent(seq = 0, timeUs: number = sampleUs): ScalarEvent {
  const values = Float32Array.of(21.5, -0, 1e-30);
  return { kind: "scalar", stream: "scene", sensor: "imu", timeUs, seq, values };
}

function sensorStatus(seq = 0, timeUs: number = sampleUs): SensorStatus {
  return { kind: "status", stream: "scene", sensor: "imu", timeUs, seq, status: "idle" };
}

export function marker(seq = 0, timeUs: number = sampleUs): Marker {
  return {
    kind: "marker",
    stream: "scene",
    timeUs,
    seq,
    action: "segment-start",
    label: "drei – 三",
  };
}

/** Any item of any kind. */
export const anyItem: fc.Arbitrary<StreamItem> = fc
  .tuple(
    fc.constantFrom(audioEvent, videoEvent, dvsEvent, scalarEvent, marker, sensorStatus),
    fc.nat(2 ** 31 - 1),
    fc.maxSafeNat().map((us) => Math.min(us, 2 ** 53 - 1_000_000)),
  )
  .map(([make, seq, timeUs]) => make(seq, timeUs));
