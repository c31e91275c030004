import { PolyphaseError } from "../../../polyphase-error.ts";
import { type DvsDecoder, largestSensorSize, type SensorSize } from "../dvs-decoder.ts";
import type { ByteQueue } from "../stream/byte-queue.ts";
import { EventClock } from "../stream/event-clock.ts";
import { HeaderedPayload } from "../stream/headered-payload.ts";
import type { PacketBuilder } from "../stream/packet-builder.ts";
import {
  createDecoderCounts,
  type DecoderCounts,
  type PayloadDecoder,
} from "../stream/payload-decoder.ts";
import { StreamingDecoder } from "../stream/streaming-decoder.ts";
import { cameraSize } from "./camera-size.ts";
import { readHashHeader } from "./hash-header.ts";

const endLine = "#!END-HEADER";
const packetHeadBytes = 28;
const eventBytes = 8;
const typeSpecial = 0;
const typePolarity = 1;
/** Special events 2, 3, 4: rising edge, falling edge, pulse of the external input. */
const externalInputTypes: readonly number[] = [2, 3, 4];
/** One step of a packet's overflow counter. */
const overflowUs = 2 ** 31;
const packetBytesMax = 64 * 1024 * 1024;

class Aedat3Payload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  readonly #rowsFromBottom: boolean;
  #type = typePolarity;
  #overflowUs = 0;
  /** Events of the packet that are still to come. */
  #eventsLeft = 0;
  /** Bytes of a packet of no interest that are still to come. */
  #bytesToSkip = 0;

  constructor(counts: DecoderCounts, rowsFromBottom: boolean) {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, Number.POSITIVE_INFINITY);
    this.#rowsFromBottom = rowsFromBottom;
  }

  decode(bytes: ByteQueue, packets: PacketBuilder): boolean {
    while (!packets.isReady) {
      const skipped = Math.min(this.#bytesToSkip, bytes.length);
      bytes.consume(skipped);
      this.#bytesToSkip -= skipped;
      if (this.#bytesToSkip > 0) return true;
      if (this.#eventsLeft > 0) {
        if (bytes.length < eventBytes) return true;
        this.#decodeEvents(bytes, packets);
      } else {
        if (bytes.length < packetHeadBytes) return true;
        this.#readPacketHead(bytes);
      }
    }
    return false;
  }

  #readPacketHead(bytes: ByteQueue): void {
    const { view, start } = bytes;
    const type = view.getInt16(start, true);
    const size = view.getInt32(start + 4, true);
    const number = view.getInt32(start + 20, true);
    bytes.consume(packetHeadBytes);
    if (size < 0 || number < 0 || size * number > packetBytesMax) {
      // The lengths are all that leads to the next packet: without them the rest cannot be read.
      this.#counts.anomalies["bad-packet"]++;
      this.#bytesToSkip = Number.POSITIVE_INFINITY;
      return;
    }
    if ((type !== typePolarity && type !== typeSpecial) || size !== eventBytes) {
      this.#bytesToSkip = size * number;
      return;
    }
    this.#type = type;
    this.#overflowUs = view.getInt32(start + 12, true) * overflowUs;
    this.#eventsLeft = number;
    if (type === typePolarity) this.#counts.inputPackets++;
  }

  #decodeEvents(bytes: ByteQueue, packets: PacketBuilder): void {
    const { view, end } = bytes;
    let at = bytes.start;
    while (this.#eventsLeft > 0 && at + eventBytes <= end && !packets.isReady) {
      const data = view.getInt32(at, true);
      if (this.#type === typeSpecial) {
        if (externalInputTypes.includes((data >>> 1) & 0x7f)) this.#counts.triggers++;
      } else if (data & 1) {
        this.#readEvent(data, view.getInt32(at + 4, true), packets);
      } else {
        this.#counts.anomalies["invalid-event"]++;
      }
      at += eventBytes;
      this.#eventsLeft--;
    }
    bytes.consumeTo(at);
  }

  #readEvent(data: number, fieldUs: number, packets: PacketBuilder): void {
    const timeUs = this.#clock.stamp(fieldUs + this.#overflowUs);
    this.#clock.cutIfDiscontinuous(packets);
    const x = data >>> 17;
    const row = (data >>> 2) & 0x7fff;
    const { width, height } = packets;
    if (x >= width) this.#counts.anomalies["x-out-of-range"]++;
    else if (row >= height) this.#counts.anomalies["y-out-of-range"]++;
    else packets.append(timeUs, x, this.#rowsFromBottom ? height - 1 - row : row, (data >>> 1) & 1);
  }
}

/**
 * Decodes the polarity events of AEDAT 3.0 and 3.1 files (docs.inivation.com, "AEDAT 3.1"; event
 * layouts: libcaer events/common.h, polarity.h). In 3.0 rows count from the bottom.
 *
 * @param size overrides that of the camera the header names
 */
export function createAedat3Decoder(size?: SensorSize): DvsDecoder {
  const counts = createDecoderCounts();
  const payload = new HeaderedPayload((bytes, packets, ended) => {
    const lines = readHashHeader(bytes, endLine, ended);
    if (lines === undefined) return undefined;
    const version = /^#!AER-DAT3\.([01])/.exec(lines[0] ?? "")?.[1];
    if (version === undefined) {
      throw new PolyphaseError(
        "BAD_DATA",
        `Cannot read AEDAT 3: the first line must be "#!AER-DAT3.1", got ${lines[0] ?? "no line"}`,
      );
    }
    const source = lines.find((line) => line.startsWith("#Source")) ?? "";
    const actualSize = size ?? cameraSize(source);
    if (actualSize === undefined) counts.anomalies["size-unknown"]++;
    const { width, height } = actualSize ?? largestSensorSize;
    packets.setSize(width, height);
    return new Aedat3Payload(counts, version === "0");
  });
  return new StreamingDecoder(payload, counts);
}
