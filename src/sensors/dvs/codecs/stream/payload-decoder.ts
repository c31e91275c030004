import type { AnomalyCounts } from "./anomalies.ts";
import type { ByteQueue } from "./byte-queue.ts";
import type { PacketBuilder } from "./packet-builder.ts";

/** What a payload decoder counts besides events. */
export interface DecoderCounts {
  readonly anomalies: AnomalyCounts;
  triggers: number;
}

/** The part of a decoder that is particular to one format. */
export interface PayloadDecoder {
  /**
   * Decodes waiting bytes until `packets.isReady` or they run out.
   *
   * @returns true if more bytes are needed to go on
   */
  decode(bytes: ByteQueue, packets: PacketBuilder): boolean;
  /** Called once after the last `decode`, with the bytes it left. */
  finish(bytes: ByteQueue, packets: PacketBuilder): void;
}
