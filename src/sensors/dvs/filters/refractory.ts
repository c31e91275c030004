import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsFilter } from "./dvs-filter.ts";
import { type EventSelector, SelectingFilter } from "./selecting-filter.ts";

class Refractory implements EventSelector {
  readonly #width: number;
  readonly #deadUs: number;
  /** Time of the last event of each pixel that passed. */
  readonly #passedUs: Float64Array;

  constructor({ width, height }: SensorSize, deadUs: number) {
    this.#width = width;
    this.#deadUs = deadUs;
    this.#passedUs = new Float64Array(width * height).fill(Number.NEGATIVE_INFINITY);
  }

  select(packet: DvsPacket, kept: Uint32Array): number {
    const { count, timeUs, x, y } = packet;
    const width = this.#width;
    const deadUs = this.#deadUs;
    const passedUs = this.#passedUs;
    let n = 0;
    for (let i = 0; i < count; i++) {
      const pixel = y[i]! * width + x[i]!;
      if (timeUs[i]! - passedUs[pixel]! < deadUs) continue;
      passedUs[pixel] = timeUs[i]!;
      kept[n++] = i;
    }
    return n;
  }
}

/**
 * Drops events of a pixel that come less than `deadUs` after its last event that passed. Dropped
 * events do not prolong the dead time (non-paralysable, as in libcaer).
 */
export function createRefractoryFilter(size: SensorSize, deadUs: number): DvsFilter {
  if (!(deadUs > 0)) {
    throw new RangeError(`Cannot make a refractory filter: deadUs must be above 0, got ${deadUs}`);
  }
  return new SelectingFilter(size, new Refractory(size, deadUs));
}
