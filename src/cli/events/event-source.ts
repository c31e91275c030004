import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import type { AnomalyCounts } from "../../sensors/dvs/codecs/stream/anomalies.ts";
import type { DecodedDvsPacket } from "../../sensors/dvs/codecs/stream/packet-builder.ts";

/** What a decoder knows besides events; complete once all packets have been read. */
export interface DecoderReport {
  readonly size: SensorSize;
  readonly anomalies: Readonly<AnomalyCounts>;
  readonly triggers: number;
  /** Packets of events the file itself consists of; 0 for formats without packets. */
  readonly inputPackets: number;
}

/** A file of events open for reading. */
export interface EventSource {
  readonly path: string;
  /** E.g. `evt3`, or `mcap/libcaer_cmp`; known once the first packet has been read. */
  readonly format: string;
  readonly report: DecoderReport;
  /**
   * The events, once, front to back. A packet is valid until the next one is asked for.
   *
   * Throws BAD_DATA or BAD_RECORDING with the file and byte if it cannot be read as its format.
   */
  packets(): AsyncGenerator<DecodedDvsPacket, void, void>;
}

/** How to read a file of events; what is absent is taken from the file. */
export interface EventSourceOptions {
  /** Overrides the sensor size the file states. */
  readonly size?: SensorSize;
  /** Overrides what the first bytes say. */
  readonly format?: string;
  /** The topic to read of a container with several of events; the first by name if absent. */
  readonly topic?: string;
}
