import {
  copyDvsColumns,
  createDvsPacket,
  type DvsColumns,
  type DvsPacket,
} from "../sensors/dvs/dvs-packet.ts";
import type { PacketMemory } from "../sensors/dvs/packet-memory.ts";
import {
  type CodecEngine,
  type CodecModule,
  codecModule,
} from "../sensors/dvs/wasm/codec-module.ts";
import { packetHome } from "../sensors/dvs/wasm/packet-home.ts";
import type { TimeUs } from "../sensors/time.ts";
import { alignedUint16View } from "./aligned-view.ts";
import { badEvent } from "./bad-event.ts";
import { schemaNames } from "./schema.ts";

/** Events one packet may hold: 96 KiB, below the usual message limits of brokers. */
export const soa1EventsMax = 16_384;
/** Microseconds between two events of one packet; a longer silence starts a new packet. */
export const soa1GapUsMax = 65_535;

const bytesPerEvent = 6;
const polarityBit = 0x8000;

/**
 * `soa1`: little-endian u16 columns dt[n] (µs since the event before; dt[0] = 0), x[n], and y[n]
 * with the polarity in bit 15. 6 bytes per event.
 *
 * Throws BAD_EVENT for events out of order, too far apart, too many, none, or off the sensor.
 *
 * @param engine what does most of it; the result is the same
 */
export function encodeSoa1(packet: DvsPacket, engine?: CodecEngine): Uint8Array<ArrayBuffer> {
  return packSoa1(packet, engine).slice();
}

/** {@link encodeSoa1} to memory that is valid until the next event is encoded or decoded. */
export function packSoa1(packet: DvsPacket, engine?: CodecEngine): Uint8Array<ArrayBuffer> {
  const { count, width, height } = packet;
  checkCount("encode", count);
  checkSize("encode", width, height);
  const module = codecModule(engine);
  if (module === undefined) {
    const bytes = new Uint8Array(count * bytesPerEvent);
    packEvents(packet, bytes, 0, count);
    return bytes;
  }
  const home = packetHome(packet);
  if (home === undefined) copyDvsColumns(packet, count, module.columns);
  const { timeUs, x, y, on } = home === undefined ? module.columns : packet;
  const output = home?.output ?? module.input;
  const packed = (home?.exports ?? module.exports).encodeSoa1(
    timeUs.byteOffset,
    x.byteOffset,
    y.byteOffset,
    on.byteOffset,
    output.byteOffset,
    count,
    width,
    height,
  );
  const bytes = output.subarray(0, count * bytesPerEvent);
  if (packed < count) packEvents(packet, bytes, packed, count);
  return bytes;
}

/** Writes events `from` (included) to `to` (excluded). */
function packEvents(
  packet: DvsPacket,
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
  to: number,
): void {
  const { count, width, height, timeUs, x, y, on } = packet;
  const { buffer, byteOffset } = bytes;
  const gaps = new Uint16Array(buffer, byteOffset, count);
  const xs = new Uint16Array(buffer, byteOffset + 2 * count, count);
  const ys = new Uint16Array(buffer, byteOffset + 4 * count, count);
  let before = timeUs[Math.max(from - 1, 0)]!;
  for (let i = from; i < to; i++) {
    const gap = timeUs[i]! - before;
    before = timeUs[i]!;
    // One comparison that is also false for NaN and for parts of a microsecond.
    if (!(gap >= 0 && gap <= soa1GapUsMax && Number.isInteger(gap))) {
      throw refuse(
        "encode",
        `timeUs[${i}] - timeUs[${i - 1}]`,
        `0 to ${soa1GapUsMax} whole µs`,
        gap,
      );
    }
    if (x[i]! >= width || y[i]! >= height) {
      throw refuse("encode", `event ${i}`, `on the ${width}x${height} sensor`, `${x[i]},${y[i]}`);
    }
    gaps[i] = gap;
    xs[i] = x[i]!;
    ys[i] = y[i]! | (on[i] === 0 ? 0 : polarityBit);
  }
}

interface Shape {
  readonly count: number;
  readonly width: number;
  readonly height: number;
}

/** How {@link decodeSoa1} goes about it. */
export interface Soa1DecodeOptions {
  readonly memory?: PacketMemory;
  readonly engine?: CodecEngine;
}

/**
 * The packet whose `count` events are `bytes` and whose first event is at `firstUs`. The result
 * owns its arrays. Throws BAD_EVENT, before any memory is taken, unless the length is exactly
 * 6 · count and count is 1 to 16,384, and for events off the sensor.
 *
 * @param options `memory`: where the columns may go, valid until it is used again; `engine`: what
 *   decodes events that are all right, to the same result
 */
export function decodeSoa1(
  bytes: Uint8Array,
  shape: Shape,
  firstUs: TimeUs,
  options: Soa1DecodeOptions = {},
): DvsPacket {
  const { count, width, height } = shape;
  checkCount("decode", count);
  checkSize("decode", width, height);
  if (bytes.byteLength !== count * bytesPerEvent) {
    const expected = `6 bytes for each of ${count} events`;
    throw refuse("decode", "events", expected, `${bytes.byteLength} bytes`);
  }
  const module = codecModule(options.engine);
  const columns = module && unpackFast(module, bytes, shape, firstUs, options.memory);
  if (columns !== undefined) return { width, height, count, ...columns };
  const packet = createDvsPacket(width, height, count);
  const gaps = alignedUint16View(bytes, 0, count);
  const ys = alignedUint16View(bytes, 4 * count, count);
  packet.x.set(alignedUint16View(bytes, 2 * count, count));
  const badIndex = unpackEvents(packet, gaps, ys, firstUs);
  if (badIndex >= 0) {
    const place = `${packet.x[badIndex]},${packet.y[badIndex]}`;
    throw refuse("decode", `event ${badIndex}`, `on the ${width}x${height} sensor`, place);
  }
  return packet;
}

/** The events in WebAssembly, several times as fast; undefined if one is off the sensor. */
function unpackFast(
  { exports, input, packet, takePacket }: CodecModule,
  bytes: Uint8Array,
  { count, width, height }: Shape,
  firstUs: TimeUs,
  memory: PacketMemory | undefined,
): DvsColumns | undefined {
  input.set(bytes);
  const isOnSensor = exports.decodeSoa1(input.byteOffset, packet, count, width, height, firstUs);
  return isOnSensor ? takePacket(count, memory) : undefined;
}

/** Fills times, rows and polarities; index of the first event off the sensor, or -1. */
function unpackEvents(
  packet: DvsPacket,
  gaps: Uint16Array,
  ys: Uint16Array,
  firstUs: TimeUs,
): number {
  const { count, timeUs, x, y, on } = packet;
  const right = packet.width - 1;
  const bottom = packet.height - 1;
  // Negative once an event was off the sensor: one test per packet instead of two per event.
  let room = 0;
  let t = firstUs - gaps[0]!;
  for (let i = 0; i < count; i++) {
    const row = ys[i]! & ~polarityBit;
    t += gaps[i]!;
    timeUs[i] = t;
    y[i] = row;
    on[i] = ys[i]! >>> 15;
    room |= (right - x[i]!) | (bottom - row);
  }
  return room >= 0 ? -1 : x.findIndex((column, i) => column > right || y[i]! > bottom);
}

function checkCount(verb: "decode" | "encode", count: number): void {
  if (!(count >= 1 && count <= soa1EventsMax)) {
    throw refuse(verb, "count", `1 to ${soa1EventsMax}`, count);
  }
}

function checkSize(verb: "decode" | "encode", width: number, height: number): void {
  if (width < 1 || width > 65_536 || height < 1 || height > polarityBit) {
    throw refuse(verb, "width x height", "at most 65536x32768 and not empty", `${width}x${height}`);
  }
}

function refuse(
  verb: "decode" | "encode",
  field: string,
  expected: string,
  actual: unknown,
): Error {
  return badEvent(verb, `${schemaNames.eventPacket} (soa1)`, field, expected, actual);
}
