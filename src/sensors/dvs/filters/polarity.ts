import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsFilter } from "./dvs-filter.ts";
import { type EventSelector, SelectingFilter } from "./selecting-filter.ts";

class OfPolarity implements EventSelector {
  readonly #on: number;

  constructor(polarity: "on" | "off") {
    this.#on = polarity === "on" ? 1 : 0;
  }

  select(packet: DvsPacket, kept: Uint32Array): number {
    const { count, on } = packet;
    let n = 0;
    for (let i = 0; i < count; i++) {
      if (on[i] === this.#on) kept[n++] = i;
    }
    return n;
  }
}

/** Keeps the events of one polarity. */
export function createPolarityFilter(size: SensorSize, polarity: "on" | "off"): DvsFilter {
  return new SelectingFilter(size, new OfPolarity(polarity));
}
