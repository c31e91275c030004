import { ByteMemory } from "../../../byte-memory.ts";
import { PolyphaseError } from "../../../polyphase-error.ts";
import { decodeAddressRun } from "../../wasm/address-run.ts";
import { type CodecEngine, type CodecModule, codecModule } from "../../wasm/codec-module.ts";
import { type DvsDecoder, largestSensorSize, type SensorSize } from "../dvs-decoder.ts";
import { latin1 } from "../prophesee/raw-header.ts";
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
import { type Aedat4Compression, type Aedat4Header, parseAedat4Header } from "./aedat4-header.ts";
import { FlatTable } from "./flat-table.ts";
import { decompressLz4Frame } from "./lz4-frame.ts";
import { decompressZstdFrame } from "./zstd-frame.ts";

const signature = "#!AER-DAT4.0\r\n";
const headerBytesMax = 16 * 1024 * 1024;
const packetHeadBytes = 8;
/** Compressed and decompressed. A frame of a 2048 × 2048 colour camera is 12 MiB. */
const packetBytesMax = 64 * 1024 * 1024;
const eventBytes = 16;
/** Events decoded here before WebAssembly is tried again. */
const eventsBetweenRuns = 32;
const externalTriggers: readonly number[] = [1, 2, 3];

/** Events of a decompressed packet that are still to be given out. */
interface PendingEvents {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly end: number;
  at: number;
  /** False where they lie in memory that others use as soon as `decode` has returned. */
  readonly isOwn: boolean;
}

class Aedat4Payload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  readonly #header: Aedat4Header;
  readonly #compression: Aedat4Compression;
  readonly #module: CodecModule | undefined;
  /** Of the events that wait for the next call. */
  readonly #memory = new ByteMemory();
  #eventStream: number | undefined;
  #pending: PendingEvents | undefined;
  #atEnd = false;

  /** @param module for events that are all right and most of LZ4; the rest is done here */
  constructor(
    counts: DecoderCounts,
    header: Aedat4Header,
    compression: Aedat4Compression,
    module: CodecModule | undefined,
  ) {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, Number.POSITIVE_INFINITY);
    this.#header = header;
    this.#compression = compression;
    this.#module = module;
  }

  decode(bytes: ByteQueue, packets: PacketBuilder, ended: boolean): boolean {
    const isHungry = this.#decodePackets(bytes, packets, ended);
    this.#keepPending();
    return isHungry;
  }

  #decodePackets(bytes: ByteQueue, packets: PacketBuilder, ended: boolean): boolean {
    while (!packets.isReady) {
      if (this.#pending !== undefined) {
        this.#decodeEvents(this.#pending, packets);
        continue;
      }
      if (this.#isAtTable(bytes)) {
        bytes.consume(bytes.length);
        return true;
      }
      if (!this.#readPacket(bytes)) {
        if (ended) this.#counts.anomalies["missing-table"]++;
        return true;
      }
    }
    return false;
  }

  #keepPending(): void {
    const pending = this.#pending;
    if (pending === undefined || pending.isOwn) return;
    const rest = pending.bytes.subarray(pending.at, pending.end);
    const bytes = this.#memory.take(rest.length);
    bytes.set(rest);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pending = { bytes, view, at: 0, end: rest.length, isOwn: true };
  }

  /** Packets end where the table begins, or at the end of a file that was never closed. */
  #isAtTable(bytes: ByteQueue): boolean {
    const { tablePosition } = this.#header;
    this.#atEnd ||= tablePosition >= 0 && bytes.position >= tablePosition;
    return this.#atEnd;
  }

  /** @returns false if more bytes are needed */
  #readPacket(bytes: ByteQueue): boolean {
    if (bytes.length < packetHeadBytes) return false;
    const stream = bytes.view.getInt32(bytes.start, true);
    const size = bytes.view.getInt32(bytes.start + 4, true);
    if (size < 0 || size > packetBytesMax) {
      // The length is all that leads to the next packet: without it the rest cannot be read.
      this.#counts.anomalies["bad-packet"]++;
      this.#atEnd = true;
      return true;
    }
    if (bytes.length < packetHeadBytes + size) return false;
    const from = bytes.start + packetHeadBytes;
    this.#openPacket(stream, bytes.bytes.subarray(from, from + size));
    bytes.consume(packetHeadBytes + size);
    return true;
  }

  #openPacket(stream: number, packed: Uint8Array): void {
    const type = this.#header.streams.get(stream)?.type;
    if (type !== undefined && type !== "EVTS" && type !== "TRIG") return;
    const message = this.#decompress(packed);
    if (message === undefined || message.length < 12) {
      this.#counts.anomalies["bad-packet"]++;
      return;
    }
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const kind = latin1(message.subarray(8, 12));
    if (kind === "EVTS") this.#openEvents(stream, message, view);
    else if (kind === "TRIG") this.#countTriggers(view);
    else if (type !== undefined) this.#counts.anomalies["foreign-packet"]++;
  }

  /** @returns memory that others use as soon as `decode` has returned */
  #decompress(packed: Uint8Array): Uint8Array | undefined {
    try {
      switch (this.#compression) {
        case "none":
          return packed;
        case "lz4":
          return decompressLz4Frame(packed, packetBytesMax, this.#module);
        case "zstd":
          return decompressZstdFrame(packed, packetBytesMax);
      }
    } catch (error) {
      if (error instanceof PolyphaseError) return undefined;
      throw error;
    }
  }

  #openEvents(stream: number, bytes: Uint8Array, view: DataView): void {
    const events = FlatTable.root(view, 4).vector(0, eventBytes);
    this.#eventStream ??= stream;
    if (stream !== this.#eventStream) {
      this.#counts.anomalies["other-camera"] += events.count;
      return;
    }
    this.#counts.inputPackets++;
    const end = events.at + events.count * eventBytes;
    this.#pending = { bytes, view, at: events.at, end, isOwn: false };
  }

  #countTriggers(view: DataView): void {
    const root = FlatTable.root(view, 4);
    const triggers = root.vector(0, 4);
    for (let i = 0; i < triggers.count; i++) {
      const type = root.tableAt(triggers.at, i).int8(1, 0);
      if (externalTriggers.includes(type)) this.#counts.triggers++;
    }
  }

  #decodeEvents(pending: PendingEvents, packets: PacketBuilder): void {
    const { bytes, view, end } = pending;
    const { width, height } = packets;
    const clock = this.#clock;
    let { at } = pending;
    if (this.#module !== undefined) {
      at += decodeAddressRun(this.#module, clock, bytes.subarray(at, end), packets);
    }
    for (let n = 0; n < eventsBetweenRuns && at < end && !packets.isReady; n++) {
      const x = view.getUint16(at + 8, true);
      const y = view.getUint16(at + 10, true);
      const rawUs = view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
      const timeUs = clock.stamp(rawUs);
      if (clock.discontinuity !== undefined) clock.cutIfDiscontinuous(packets);
      if (x >= width) this.#counts.anomalies["x-out-of-range"]++;
      else if (y >= height) this.#counts.anomalies["y-out-of-range"]++;
      else packets.append(timeUs, x, y, view.getUint8(at + 12) === 0 ? 0 : 1);
      at += eventBytes;
    }
    pending.at = at;
    if (at >= end) this.#pending = undefined;
  }
}

/**
 * Decodes the events of AEDAT 4.0 files (docs.inivation.com, "AEDAT 4.0"), of the first event
 * stream if there are several; with LZ4, Zstandard or no compression, with or without the table
 * behind the packets. Times are Unix time.
 *
 * @param size overrides the header's; 2048 × 2048 where neither says, counted as `size-unknown`
 * @param engine what does most of it; the result is the same
 */
export function createAedat4Decoder(size?: SensorSize, engine?: CodecEngine): DvsDecoder {
  const counts = createDecoderCounts();
  const payload = new HeaderedPayload((bytes, packets, ended) => {
    const header = readHeader(bytes, ended);
    if (header === undefined) return undefined;
    if (header.compression === undefined) {
      throw new PolyphaseError("BAD_DATA", "Cannot read AEDAT 4: compression must be 0 … 4");
    }
    const eventStream = [...header.streams.values()].find((stream) => stream.type === "EVTS");
    const actualSize = size ?? eventStream?.size;
    if (actualSize === undefined) counts.anomalies["size-unknown"]++;
    const { width, height } = actualSize ?? largestSensorSize;
    packets.setSize(width, height);
    return new Aedat4Payload(counts, header, header.compression, codecModule(engine));
  });
  return new StreamingDecoder(payload, counts);
}

function readHeader(bytes: ByteQueue, ended: boolean): Aedat4Header | undefined {
  const { view, start } = bytes;
  const lengthAt = signature.length;
  if (bytes.length < lengthAt + 4) {
    if (ended) throw badHeader("be complete");
    return undefined;
  }
  if (latin1(bytes.bytes.subarray(start, start + lengthAt)) !== signature) {
    throw badHeader(`begin with "#!AER-DAT4.0"`);
  }
  const size = view.getUint32(start + lengthAt, true);
  if (size > headerBytesMax) throw badHeader(`hold at most ${headerBytesMax} bytes, got ${size}`);
  const end = lengthAt + 4 + size;
  if (bytes.length < end) {
    if (ended) throw badHeader(`be complete, got ${bytes.length} of ${end} bytes`);
    return undefined;
  }
  const header = parseAedat4Header(bytes.bytes.slice(start + lengthAt + 4, start + end));
  bytes.consume(end);
  return header;
}

function badHeader(must: string): PolyphaseError {
  return new PolyphaseError("BAD_DATA", `Cannot read AEDAT 4: the header at byte 0 must ${must}`);
}
