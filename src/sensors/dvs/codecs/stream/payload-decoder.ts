import type { AnomalyCounts } from "./anomalies.ts";
import { createAnomalyCounts } from "./anomalies.ts";
import type { ByteQueue } from "./byte-queue.ts";
import type { PacketBuilder } from "./packet-builder.ts";

/** What a payload decoder counts besides events. */
export interface DecoderCounts {
  readonly anomalies: AnomalyCounts;
  /** External trigger edges. */
  triggers: number;
  /** Packets of events the input itself consists of; stays 0 for formats without packets. */
  inputPackets: number;
}

/** All counters at zero. */
export function createDecoderCounts(): DecoderCounts {
  return { anomalies: createAnomalyCounts(), triggers: 0, inputPackets: 0 };
}

/** The part of a decoder that is particular to one format. */
export interface PayloadDecoder {
  /**
   * Decodes waiting bytes until `packets.isReady` or what waits is no whole record.
   *
   * @param ended true if no more bytes will come
   * @returns true if more bytes are needed to go on
   */
  decode(bytes: ByteQueue, packets: PacketBuilder, ended: boolean): boolean;
}
