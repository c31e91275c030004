import { type DvsColumns, dvsColumns, dvsEventBytes } from "../dvs-packet.ts";
import { copyPackedColumns, type PacketMemory } from "../packet-memory.ts";
import { type CodecExports, createCodecInstance } from "./codec-instance.ts";

/** Events that the scratch columns hold. */
export const scratchEvents = 16_384;
/** Bytes of input that are decoded at once: 6 per event. */
export const scratchInputBytes: number = 6 * scratchEvents;
/** Bytes of an LZ4 frame and of what it holds; larger ones are decompressed in TypeScript. */
const lz4InputBytes = 2 * 1024 * 1024;
/** The largest block that a frame may have, and room behind it for copies by words. */
const lz4OutputBytes = 4 * 1024 * 1024 + 64;
const recordBytes = 128;
const onesBytes = 256 * 16;
/** Vectors of pixels are written whole: so many events behind the last one may be overwritten. */
const slackEvents = 16;

/**
 * The codecs' inner loops in WebAssembly SIMD, with scratch memory that holds nothing from one call
 * to the next. They take the regular run of a format and stop at the first thing that is not; what
 * that means is decided in TypeScript, in one place.
 */
export interface CodecModule {
  readonly exports: CodecExports;
  /** Bytes to decode. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** Events decoded, or to be encoded. */
  readonly columns: DvsColumns;
  /** Address of room for the columns of `scratchEvents` events, one behind the other. */
  readonly packet: number;
  /** The columns of the first `count` events at `packet`, in `memory` or in memory of their own. */
  takePacket(count: number, memory?: PacketMemory): DvsColumns;
  /**
   * The record that says what to do and where it got to, by 4-byte word. Its first five are the
   * addresses of the columns and of the table of writeOnes().
   */
  readonly record: Int32Array;
  readonly lz4Input: Uint8Array;
  readonly lz4Output: Uint8Array;
}

/** `wasm` where the engine can run it; both give the same packets and counts. */
export type CodecEngine = "wasm" | "typescript";

let shared: CodecModule | undefined;
let isKnown = false;

/** The module, one for each thread; `undefined` if it is not wanted or cannot run here. */
export function codecModule(engine: CodecEngine = "wasm"): CodecModule | undefined {
  if (engine === "typescript") return undefined;
  if (!isKnown) shared = createCodecModule();
  isKnown = true;
  return shared;
}

function createCodecModule(): CodecModule | undefined {
  const packetBytes = scratchEvents * dvsEventBytes;
  const events = scratchEvents + slackEvents;
  const instance = createCodecInstance([
    recordBytes,
    onesBytes,
    scratchInputBytes,
    packetBytes,
    events * dvsEventBytes,
    lz4InputBytes,
    lz4OutputBytes,
  ]);
  if (instance === undefined) return undefined;
  const { exports, buffer, take } = instance;
  const record = new Int32Array(buffer, take(recordBytes), recordBytes / 4);
  const ones = take(onesBytes);
  const bytes = (length: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(buffer, take(length), length);
  const input = bytes(scratchInputBytes);
  const packet = take(packetBytes);
  const columns = dvsColumns(buffer, events, take(events * dvsEventBytes));
  const { timeUs, x, y, on } = columns;
  record.set([timeUs.byteOffset, x.byteOffset, y.byteOffset, on.byteOffset, ones]);
  exports.writeOnes(ones);
  return {
    exports,
    input,
    columns,
    packet,
    takePacket: (count, memory) => copyPackedColumns(buffer, packet, count, memory),
    record,
    lz4Input: bytes(lz4InputBytes),
    lz4Output: bytes(lz4OutputBytes),
  };
}
