import { crc32 } from "node:zlib";
import type { McapTypes } from "@mcap/core";
import type { TimeUs } from "../../sensors/time.ts";
import type { RecordedChannel, UnknownChannel } from "./recorded-channel.ts";

/** What a recording's channel ids mean. */
export type ChannelsById<Channel extends { readonly kind: string } = RecordedChannel> = ReadonlyMap<
  number,
  Channel | UnknownChannel
>;

/** A message as it lies in a chunk. */
export interface ChunkMessage<Channel = RecordedChannel> {
  readonly channel: Channel;
  readonly sequence: number;
  /** MCAP log time in whole microseconds; other tools' parts of a microsecond are cut off. */
  readonly receivedUs: TimeUs;
  /** A view on the chunk's memory. */
  readonly data: Uint8Array;
}

const chunkOpcode = 0x06;
const messageOpcode = 0x05;
/** Opcode and length of every record. */
const recordHeadBytes = 9;
/** Start time, end time, uncompressed size, CRC, length of the compression's name. */
const chunkFixedBytes = 8 + 8 + 8 + 4 + 4;
/** Channel, sequence, log time, publish time. */
const messageFixedBytes = 2 + 4 + 8 + 8;

/**
 * The messages of one chunk record, in file order, without those of unknown channels.
 * `McapIndexedReader` would hand them over one by one through a promise each, which costs more than
 * decoding them (bench/recording.ts).
 *
 * Throws a plain Error that says what is wrong; the caller knows the place.
 */
export function readChunk<Channel extends { readonly kind: string } = RecordedChannel>(
  record: Uint8Array,
  handlers: McapTypes.DecompressHandlers,
  channelsById: ChannelsById<Channel>,
): ChunkMessage<Channel>[] {
  const messages = unpackChunk(record, handlers);
  const view = viewOf(messages);
  const found: ChunkMessage<Channel>[] = [];
  for (let at = 0; at < messages.length; ) {
    const start = at + recordHeadBytes;
    if (start > messages.length) throw new Error(`chunk ends inside the record at its byte ${at}`);
    const end = start + uint64(view, at + 1);
    if (end > messages.length) throw new Error(`record at byte ${at} of the chunk passes its end`);
    if (view.getUint8(at) === messageOpcode) {
      if (end < start + messageFixedBytes) throw new Error(`message at byte ${at} is too short`);
      const channel = channelAt(view, start, channelsById);
      if (channel !== undefined) {
        const sequence = view.getUint32(start + 2, true);
        const receivedUs = microseconds(view, start + 6);
        const data = messages.subarray(start + messageFixedBytes, end);
        found.push({ channel, sequence, receivedUs, data });
      }
    }
    at = end;
  }
  return found;
}

/** The channel that is named at `at`; undefined for an unknown one. */
function channelAt<Channel extends { readonly kind: string }>(
  view: DataView,
  at: number,
  channelsById: ChannelsById<Channel>,
): Channel | undefined {
  const id = view.getUint16(at, true);
  const channel = channelsById.get(id);
  if (channel === undefined) throw new Error(`there is no channel ${id}`);
  return channel.kind === "unknown" ? undefined : (channel as Channel);
}

/** The uncompressed, CRC-checked records of a chunk. */
export function unpackChunk(
  record: Uint8Array,
  handlers: McapTypes.DecompressHandlers,
): Uint8Array {
  const view = viewOf(record);
  if (record.length < recordHeadBytes + chunkFixedBytes || view.getUint8(0) !== chunkOpcode) {
    throw new Error("there must be a chunk");
  }
  const size = view.getBigUint64(recordHeadBytes + 16, true);
  const expectedCrc = view.getUint32(recordHeadBytes + 24, true);
  const nameStart = recordHeadBytes + chunkFixedBytes;
  const nameEnd = nameStart + view.getUint32(nameStart - 4, true);
  const start = nameEnd + 8;
  if (start > record.length || start + uint64(view, nameEnd) > record.length) {
    throw new Error("the chunk's messages pass its end");
  }
  const packed = record.subarray(start, start + uint64(view, nameEnd));
  const compression = new TextDecoder().decode(record.subarray(nameStart, nameEnd));
  const unpacked = compression === "" ? packed : decompress(packed, size, compression, handlers);
  const crc = expectedCrc === 0 ? 0 : crc32(unpacked);
  if (crc !== expectedCrc) throw new Error(`chunk CRC must be ${expectedCrc}, got ${crc}`);
  return unpacked;
}

function decompress(
  packed: Uint8Array,
  size: bigint,
  compression: string,
  handlers: McapTypes.DecompressHandlers,
): Uint8Array {
  const handler = handlers[compression];
  if (handler === undefined) {
    throw new Error(`compression must be ${Object.keys(handlers).join(", ")}, got ${compression}`);
  }
  return handler(packed, size);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Exact below 2^53; no chunk comes near. */
function uint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/** A 64-bit count of nanoseconds in whole microseconds, exact although ns exceed 2^53. */
function microseconds(view: DataView, at: number): TimeUs {
  const high = view.getUint32(at + 4, true);
  const highRest = high % 1000;
  const low = Math.floor((highRest * 2 ** 32 + view.getUint32(at, true)) / 1000);
  return ((high - highRest) / 1000) * 2 ** 32 + low;
}
