import type { TimeUs } from "../time.ts";

/** Events as a structure of arrays; element i of every array is event i. */
export interface DvsColumns {
  /** Event times, whole microseconds. Float64 is exact to 2^53 µs. */
  readonly timeUs: Float64Array;
  readonly x: Uint16Array;
  readonly y: Uint16Array;
  /** Polarity: 1 where it got brighter (ON), 0 where it got darker (OFF). */
  readonly on: Uint8Array;
}

/**
 * Consecutive events of one event camera. Times never decrease. The arrays may be longer than
 * `count`; what lies behind is unused.
 */
export interface DvsPacket extends DvsColumns {
  /** Sensor size in pixels; every `x[i] < width`, every `y[i] < height`, origin upper left. */
  readonly width: number;
  readonly height: number;
  /** Number of events. */
  readonly count: number;
}

/** A packet with room for `count` events, all zero. Its arrays lie in one buffer. */
export function createDvsPacket(width: number, height: number, count: number): DvsPacket {
  return { width, height, count, ...dvsColumns(new ArrayBuffer(count * dvsEventBytes), count) };
}

/** Bytes that the columns take per event. */
export const dvsEventBytes = 13;

/** The columns of `count` events, one behind the other in `buffer` from byte `from` on. */
export function dvsColumns(buffer: ArrayBuffer, count: number, from = 0): DvsColumns {
  return {
    timeUs: new Float64Array(buffer, from, count),
    x: new Uint16Array(buffer, from + 8 * count, count),
    y: new Uint16Array(buffer, from + 10 * count, count),
    on: new Uint8Array(buffer, from + 12 * count, count),
  };
}

/** Copies the first `count` events to the columns `to`, from event `at` on. */
export function copyDvsColumns(from: DvsColumns, count: number, to: DvsColumns, at = 0): void {
  // A view takes as long to make as some hundred events to copy.
  const isAll = from.timeUs.length === count;
  to.timeUs.set(isAll ? from.timeUs : from.timeUs.subarray(0, count), at);
  to.x.set(isAll ? from.x : from.x.subarray(0, count), at);
  to.y.set(isAll ? from.y : from.y.subarray(0, count), at);
  to.on.set(isAll ? from.on : from.on.subarray(0, count), at);
}

/** Events `from` (included) to `to` (excluded) of `packet`, as a view on the same memory. */
export function dvsPacketView(packet: DvsPacket, from: number, to: number): DvsPacket {
  return {
    width: packet.width,
    height: packet.height,
    count: to - from,
    timeUs: packet.timeUs.subarray(from, to),
    x: packet.x.subarray(from, to),
    y: packet.y.subarray(from, to),
    on: packet.on.subarray(from, to),
  };
}

/** Event time of the last event of a packet that is not empty. */
export function lastTimeUs(packet: DvsPacket): TimeUs {
  return packet.timeUs[packet.count - 1]!;
}
