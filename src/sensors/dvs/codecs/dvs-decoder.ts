import type { PacketMemory } from "../packet-memory.ts";
import type { AnomalyCounts } from "./stream/anomalies.ts";
import type { DecodedDvsPacket } from "./stream/packet-builder.ts";

/** Sensor size in pixels. */
export interface SensorSize {
  readonly width: number;
  readonly height: number;
}

/** Taken where nothing says how large the sensor is: the most that EVT words can address. */
export const largestSensorSize: SensorSize = { width: 2048, height: 2048 };

/**
 * Decodes one recording of an event camera. Does no I/O: the caller pushes bytes as they come and
 * pulls packets.
 *
 * ```
 * for each chunk:  decoder.push(chunk);  while ((packet = decoder.next())) use(packet);
 * decoder.end();                         while ((packet = decoder.next())) use(packet);
 * ```
 *
 * Packets hold at most 16,384 events and are the same however the bytes are split. Times are
 * unwrapped and never decrease. What is odd in the data is counted in `anomalies` and skipped.
 */
export interface DvsDecoder {
  /** Sensor size; 0 × 0 until the header has been read. */
  readonly size: SensorSize;
  /** Counted so far, by reason. */
  readonly anomalies: Readonly<AnomalyCounts>;
  /** External trigger edges seen so far. */
  readonly triggers: number;
  /** Packets of events the input itself consists of, so far; 0 for formats without packets. */
  readonly inputPackets: number;
  /** Takes a copy of `bytes`. */
  push(bytes: Uint8Array): void;
  /** No more bytes will come. */
  end(): void;
  /**
   * The next packet, or `undefined` if that takes more bytes, or the end, to be told. The packet
   * is the caller's, or, with `memory`, valid until that or the decoder is used again.
   *
   * @param memory for a caller who is done with each packet before the next
   * @throws {PolyphaseError} BAD_DATA, with the byte position, if the input cannot be this format.
   *   The decoder is of no use afterwards.
   */
  next(memory?: PacketMemory): DecodedDvsPacket | undefined;
}
