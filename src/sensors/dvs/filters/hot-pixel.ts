import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsFilter } from "./dvs-filter.ts";
import { type EventSelector, SelectingFilter } from "./selecting-filter.ts";

/** A pixel is hot if it fires this many times as often as the average pixel that fires at all. */
const defaultRatio = 10;

/**
 * Learns over a whole recording which pixels fire all the time, so that the result does not depend
 * on how the recording is cut into packets.
 */
export class HotPixelLearner {
  readonly #size: SensorSize;
  readonly #counts: Float64Array;

  constructor(size: SensorSize) {
    this.#size = size;
    this.#counts = new Float64Array(size.width * size.height);
  }

  /** Counts the events of `packet`. */
  learn(packet: DvsPacket): void {
    const { count, x, y } = packet;
    const { width } = this.#size;
    const counts = this.#counts;
    for (let i = 0; i < count; i++) counts[y[i]! * width + x[i]!]!++;
  }

  /**
   * Pixels, as y · width + x in ascending order, with more than `ratio` times the mean count of
   * the pixels that had events.
   */
  hotPixels(ratio: number = defaultRatio): readonly number[] {
    const counts = this.#counts;
    let events = 0;
    let active = 0;
    for (const count of counts) {
      events += count;
      if (count > 0) active++;
    }
    const limit = (ratio * events) / Math.max(active, 1);
    const hot: number[] = [];
    for (let pixel = 0; pixel < counts.length; pixel++) {
      if (counts[pixel]! > limit) hot.push(pixel);
    }
    return hot;
  }
}

class PixelMask implements EventSelector {
  readonly #width: number;
  readonly #isMasked: Uint8Array;

  constructor({ width, height }: SensorSize, pixels: readonly number[]) {
    this.#width = width;
    this.#isMasked = new Uint8Array(width * height);
    for (const pixel of pixels) this.#isMasked[pixel] = 1;
  }

  select(packet: DvsPacket, kept: Uint32Array): number {
    const { count, x, y } = packet;
    const width = this.#width;
    const isMasked = this.#isMasked;
    let n = 0;
    for (let i = 0; i < count; i++) {
      if (isMasked[y[i]! * width + x[i]!] === 0) kept[n++] = i;
    }
    return n;
  }
}

/** Drops the events of `pixels`, given as y · width + x. */
export function createHotPixelFilter(size: SensorSize, pixels: readonly number[]): DvsFilter {
  return new SelectingFilter(size, new PixelMask(size, pixels));
}
