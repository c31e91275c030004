import { type EventClock, regularStepUsMax } from "../codecs/stream/event-clock.ts";
import { type PacketBuilder, packetEventsReady } from "../codecs/stream/packet-builder.ts";
import { type CodecModule, scratchInputBytes } from "./codec-module.ts";

/** Fields of assembly/dvs/address-run.ts, by 4-byte word. */
const word = {
  width: 5,
  height: 6,
  room: 7,
  count: 8,
  /** float64, like the three after it. */
  rawUs: 10,
  stepMaxUs: 12,
  offsetUs: 14,
  lastUs: 16,
} as const;

/** Fewer bytes are not worth the call. */
const bytesMin = 512;

/**
 * Decodes regular AEDAT 4 events in WebAssembly, until one is not or a packet is ready.
 *
 * @param bytes whole events
 * @returns bytes decoded
 */
export function decodeAddressRun(
  module: CodecModule,
  clock: EventClock,
  bytes: Uint8Array,
  packets: PacketBuilder,
): number {
  if (bytes.length < bytesMin || !clock.isSet) return 0;
  const { record, input, columns, exports } = module;
  const times = new Float64Array(record.buffer, record.byteOffset, record.length / 2);
  times[word.rawUs / 2] = clock.latestRawUs;
  times[word.stepMaxUs / 2] = regularStepUsMax;
  times[word.offsetUs / 2] = clock.offsetUs;
  times[word.lastUs / 2] = clock.lastUs;
  record[word.width] = packets.width;
  record[word.height] = packets.height;
  record[word.room] = packetEventsReady - packets.count;
  // What has just been decompressed lies there already.
  const isThere = bytes.buffer === input.buffer;
  const window = isThere ? bytes : bytes.subarray(0, windowBytes);
  if (!isThere) input.set(window);
  const from = isThere ? bytes.byteOffset : input.byteOffset;
  const used = exports.aedat4(record.byteOffset, from, from + window.length) - from;
  packets.appendColumns(columns, record[word.count]!);
  if (used > 0) clock.lastUs = clock.advance(times[word.rawUs / 2]!);
  return used;
}

const eventBytes = 16;
/** Whole events. */
const windowBytes = scratchInputBytes - (scratchInputBytes % eventBytes);
