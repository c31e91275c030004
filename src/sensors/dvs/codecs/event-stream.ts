import { PolyphaseError } from "../../polyphase-error.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsDecoder, SensorSize } from "./dvs-decoder.ts";
import type { DvsEncoder } from "./dvs-encoder.ts";
import type { ByteQueue } from "./stream/byte-queue.ts";
import { ByteWriter } from "./stream/byte-writer.ts";
import { HeaderedPayload } from "./stream/headered-payload.ts";
import type { PacketBuilder } from "./stream/packet-builder.ts";
import {
  createDecoderCounts,
  type DecoderCounts,
  type PayloadDecoder,
} from "./stream/payload-decoder.ts";
import { StreamingDecoder } from "./stream/streaming-decoder.ts";

/*
 * Event Stream 2.x (.es): "Event Stream", three version bytes, type, u16 width, u16 height. Then
 * per byte b of a DVS stream: 0xFF adds 127 µs, 0xFE is a reset mark and ignored, any other adds
 * b >> 1 µs and is followed by u16 x and u16 y of an event of polarity b & 1. Rows count from the
 * bottom.
 */
const signature = "Event Stream";
const headerBytes = 20;
const recordBytes = 5;
const typeDvs = 1;
const overflowByte = 0xff;
const resetByte = 0xfe;
const overflowUs = 127;

class EventStreamPayload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  #timeUs = 0;

  constructor(counts: DecoderCounts) {
    this.#counts = counts;
  }

  decode(bytes: ByteQueue, packets: PacketBuilder): boolean {
    const { view, end } = bytes;
    let at = bytes.start;
    while (!packets.isReady && at < end) {
      const head = view.getUint8(at);
      if (head >= resetByte) {
        if (head === overflowByte) this.#timeUs += overflowUs;
        at++;
        continue;
      }
      if (at + recordBytes > end) break;
      this.#timeUs += head >> 1;
      this.#readEvent(
        view.getUint16(at + 1, true),
        view.getUint16(at + 3, true),
        head & 1,
        packets,
      );
      at += recordBytes;
    }
    bytes.consumeTo(at);
    return !packets.isReady;
  }

  #readEvent(x: number, rowFromBottom: number, on: number, packets: PacketBuilder): void {
    if (x >= packets.width) this.#counts.anomalies["x-out-of-range"]++;
    else if (rowFromBottom >= packets.height) this.#counts.anomalies["y-out-of-range"]++;
    else packets.append(this.#timeUs, x, packets.height - 1 - rowFromBottom, on);
  }
}

/** Decodes Event Stream 2.x files of DVS events. */
export function createEventStreamDecoder(): DvsDecoder {
  const counts = createDecoderCounts();
  const payload = new HeaderedPayload((bytes, packets, ended) => {
    if (bytes.length < headerBytes && !ended) return undefined;
    readHeader(bytes, packets);
    return new EventStreamPayload(counts);
  });
  return new StreamingDecoder(payload, counts);
}

function readHeader(bytes: ByteQueue, packets: PacketBuilder): void {
  const { view, start } = bytes;
  const fits = bytes.length >= headerBytes;
  const isSigned = [...signature].every(
    (c, i) => fits && view.getUint8(start + i) === c.charCodeAt(0),
  );
  if (!isSigned) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read an event stream: byte 0 must begin a ${headerBytes}-byte "${signature}" header, got something else`,
    );
  }
  const major = view.getUint8(start + 12);
  const type = view.getUint8(start + 15);
  if (major !== 2 || type !== typeDvs) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read an event stream: version, type must be 2, ${typeDvs} (DVS), got ${major}, ${type} at byte 12`,
    );
  }
  packets.setSize(view.getUint16(start + 16, true), view.getUint16(start + 18, true));
  bytes.consume(headerBytes);
}

class EventStreamEncoder implements DvsEncoder {
  readonly #writer = new ByteWriter();
  readonly #size: SensorSize;
  #timeUs = 0;

  constructor(size: SensorSize) {
    this.#size = size;
  }

  header(): Uint8Array {
    const header = new Uint8Array(headerBytes);
    header.set([...signature].map((c) => c.charCodeAt(0)));
    header.set([2, 0, 0, typeDvs], 12);
    const view = new DataView(header.buffer);
    view.setUint16(16, this.#size.width, true);
    view.setUint16(18, this.#size.height, true);
    return header;
  }

  encode(packet: DvsPacket): Uint8Array {
    const writer = this.#writer;
    for (let i = 0; i < packet.count; i++) {
      const stepUs = packet.timeUs[i]! - this.#timeUs;
      // 126 << 1 is the largest head byte that is no overflow or reset mark.
      const overflows = Math.floor(stepUs / overflowUs);
      if (!(stepUs >= 0 && overflows <= overflowsMax) || packet.y[i]! >= this.#size.height) {
        throw new PolyphaseError(
          "BAD_DATA",
          `Cannot encode an event stream: time must go forward by 0 … ${overflowsMax * overflowUs} µs and y be below ${this.#size.height}, got ${stepUs} µs, y ${packet.y[i]}`,
        );
      }
      writer.reserve(overflows + recordBytes);
      for (let k = 0; k < overflows; k++) writer.view.setUint8(writer.length++, overflowByte);
      const head = ((stepUs - overflows * overflowUs) << 1) | packet.on[i]!;
      writer.view.setUint8(writer.length, head);
      writer.view.setUint16(writer.length + 1, packet.x[i]!, true);
      writer.view.setUint16(writer.length + 3, this.#size.height - 1 - packet.y[i]!, true);
      writer.length += recordBytes;
      this.#timeUs = packet.timeUs[i]!;
    }
    return writer.take();
  }
}

/** One byte for each 127 µs of silence: 64 MiB stand for 2.4 hours. */
const overflowsMax = 2 ** 26;

/** Encodes Event Stream 2.0 files. Times count from 0: subtract the recording's origin before. */
export function createEventStreamEncoder(size: SensorSize): DvsEncoder {
  return new EventStreamEncoder(size);
}
