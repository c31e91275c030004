import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsFilter, FilterCounts } from "./dvs-filter.ts";

class Downsample implements DvsFilter {
  readonly size: SensorSize;
  readonly #factor: number;
  #events = 0;

  constructor(size: SensorSize, factor: number) {
    const { width, height } = size;
    this.size = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
    this.#factor = factor;
  }

  get counts(): FilterCounts {
    return { events: this.#events, kept: this.#events };
  }

  apply(packet: DvsPacket): DvsPacket {
    const factor = this.#factor;
    const { count } = packet;
    this.#events += count;
    const scale = (at: number): number => Math.floor(at / factor);
    return {
      ...this.size,
      count,
      timeUs: packet.timeUs.subarray(0, count),
      x: packet.x.subarray(0, count).map(scale),
      y: packet.y.subarray(0, count).map(scale),
      on: packet.on.subarray(0, count),
    };
  }
}

/** Joins `factor` × `factor` pixels into one; keeps every event. */
export function createDownsampleFilter(size: SensorSize, factor: number): DvsFilter {
  if (!Number.isInteger(factor) || factor < 1) {
    throw new RangeError(`Cannot downsample: factor must be a whole number from 1, got ${factor}`);
  }
  return new Downsample(size, factor);
}
