import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsFilter } from "./dvs-filter.ts";
import { type EventSelector, SelectingFilter } from "./selecting-filter.ts";

const usPerSecond = 1e6;

class RateLimit implements EventSelector {
  readonly #eventsPerUs: number;
  readonly #burstEventsMax: number;
  #tokens: number;
  #latestUs = Number.NaN;

  constructor(eventsPerSecondMax: number, burstEventsMax: number) {
    this.#eventsPerUs = eventsPerSecondMax / usPerSecond;
    this.#burstEventsMax = burstEventsMax;
    this.#tokens = burstEventsMax;
  }

  select(packet: DvsPacket, kept: Uint32Array): number {
    const { count, timeUs } = packet;
    let tokens = this.#tokens;
    let latestUs = Number.isNaN(this.#latestUs) ? (timeUs[0] ?? Number.NaN) : this.#latestUs;
    let n = 0;
    for (let i = 0; i < count; i++) {
      const eventUs = timeUs[i]!;
      const refilled = tokens + (eventUs - latestUs) * this.#eventsPerUs;
      tokens = Math.min(refilled, this.#burstEventsMax);
      latestUs = eventUs;
      if (tokens < 1) continue;
      tokens -= 1;
      kept[n++] = i;
    }
    this.#tokens = tokens;
    this.#latestUs = latestUs;
    return n;
  }
}

/**
 * Lets through at most `eventsPerSecondMax` in event time, and bursts of up to `burstEventsMax`
 * (token bucket). What exceeds it is dropped and counted, so that a burst cannot stall a pipeline.
 */
export function createRateLimitFilter(
  size: SensorSize,
  eventsPerSecondMax: number,
  burstEventsMax: number,
): DvsFilter {
  if (!(eventsPerSecondMax > 0 && burstEventsMax >= 1)) {
    throw new RangeError(
      `Cannot limit a rate: eventsPerSecondMax must be above 0 and burstEventsMax from 1, got ${eventsPerSecondMax}, ${burstEventsMax}`,
    );
  }
  return new SelectingFilter(size, new RateLimit(eventsPerSecondMax, burstEventsMax));
}
