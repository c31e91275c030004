import { PolyphaseError } from "../../polyphase-error.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsDecoder, SensorSize } from "./dvs-decoder.ts";
import type { DvsEncoder } from "./dvs-encoder.ts";
import type { ByteQueue } from "./stream/byte-queue.ts";
import { ByteWriter } from "./stream/byte-writer.ts";
import { EventClock } from "./stream/event-clock.ts";
import type { PacketBuilder } from "./stream/packet-builder.ts";
import {
  createDecoderCounts,
  type DecoderCounts,
  type PayloadDecoder,
} from "./stream/payload-decoder.ts";
import { StreamingDecoder } from "./stream/streaming-decoder.ts";

/*
 * The format of N-MNIST and N-Caltech101 (Orchard et al. 2015), also used for the public cut of
 * DVS128 Gesture. Five bytes per event: x, y, p << 7 | t[22:16], t[15:8], t[7:0]; t in µs. A record
 * with y = 240 is no event: it adds 2^13 µs to the times of all that follow.
 */
const recordBytes = 5;
const overflowY = 240;
const overflowUs = 8_192;
const timeRangeUs = 2 ** 23;

/** Size of the N-MNIST recordings: a 28 × 28 digit that moves by six pixels. */
export const nmnistSize: SensorSize = { width: 34, height: 34 };

class NmnistPayload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  #overflowUs = 0;

  constructor(counts: DecoderCounts) {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, timeRangeUs);
  }

  decode(bytes: ByteQueue, packets: PacketBuilder): boolean {
    const { bytes: memory, end } = bytes;
    const clock = this.#clock;
    let at = bytes.start;
    while (!packets.isReady && at + recordBytes <= end) {
      const x = memory[at]!;
      const y = memory[at + 1]!;
      const high = memory[at + 2]!;
      const fieldUs = ((high & 0x7f) << 16) | (memory[at + 3]! << 8) | memory[at + 4]!;
      at += recordBytes;
      if (y === overflowY) {
        this.#overflowUs += overflowUs;
        continue;
      }
      const timeUs = clock.stamp(fieldUs + this.#overflowUs);
      clock.cutIfDiscontinuous(packets);
      if (x >= packets.width) this.#counts.anomalies["x-out-of-range"]++;
      else if (y >= packets.height) this.#counts.anomalies["y-out-of-range"]++;
      else packets.append(timeUs, x, y, high >> 7);
    }
    bytes.consumeTo(at);
    return at + recordBytes > end;
  }
}

/** Decodes N-MNIST `.bin` files. The format carries no size: pass it for other data sets. */
export function createNmnistDecoder(size: SensorSize = nmnistSize): DvsDecoder {
  const counts = createDecoderCounts();
  return new StreamingDecoder(new NmnistPayload(counts), counts, size);
}

class NmnistEncoder implements DvsEncoder {
  readonly #writer = new ByteWriter();
  #overflowUs = 0;

  header(): Uint8Array {
    return new Uint8Array(0);
  }

  encode(packet: DvsPacket): Uint8Array {
    for (let i = 0; i < packet.count; i++) {
      const timeUs = packet.timeUs[i]!;
      const x = packet.x[i]!;
      const y = packet.y[i]!;
      if (x > 255 || y >= overflowY || timeUs < this.#overflowUs) throw cannotEncode(x, y, timeUs);
      while (timeUs - this.#overflowUs >= timeRangeUs) {
        this.#write(0, overflowY, 0, timeRangeUs - 1);
        this.#overflowUs += overflowUs;
      }
      this.#write(x, y, packet.on[i]!, timeUs - this.#overflowUs);
    }
    return this.#writer.take();
  }

  #write(x: number, y: number, on: number, fieldUs: number): void {
    const writer = this.#writer;
    writer.reserve(recordBytes);
    const at = writer.length;
    writer.view.setUint8(at, x);
    writer.view.setUint8(at + 1, y);
    writer.view.setUint8(at + 2, (on << 7) | (fieldUs >>> 16));
    writer.view.setUint16(at + 3, fieldUs & 0xffff);
    writer.length = at + recordBytes;
  }
}

function cannotEncode(x: number, y: number, timeUs: number): PolyphaseError {
  return new PolyphaseError(
    "BAD_DATA",
    `Cannot encode N-MNIST: x must be below 256, y below ${overflowY}, time in order and not negative, got x ${x}, y ${y}, ${timeUs} µs`,
  );
}

/** Encodes N-MNIST `.bin` files: x below 256, y below 240, times from 0. */
export function createNmnistEncoder(): DvsEncoder {
  return new NmnistEncoder();
}
