import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { PacketMemory } from "../packet-memory.ts";

/** What a filter has seen and let through so far. */
export interface FilterCounts {
  readonly events: number;
  readonly kept: number;
}

/**
 * A filter of one camera's events with the memory it needs. Packets must come in order of time.
 * Events come out in the order they went in.
 */
export interface DvsFilter {
  /** Sensor size of what comes out. */
  readonly size: SensorSize;
  readonly counts: FilterCounts;
  /**
   * The events of `packet` that pass, in a new packet that may be empty, or be a view of `packet`.
   *
   * @param memory where they may go: the packet is valid until it, or this filter, is used again
   */
  apply(packet: DvsPacket, memory?: PacketMemory): DvsPacket;
}
