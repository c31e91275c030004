import type { SensorSize } from "../codecs/dvs-decoder.ts";
import {
  copyDvsColumns,
  type DvsColumns,
  type DvsPacket,
  dvsColumns,
  dvsEventBytes,
  dvsPacketView,
} from "../dvs-packet.ts";
import { copyPackedColumns, type PacketMemory } from "../packet-memory.ts";
import {
  type CodecExports,
  type CodecInstance,
  createCodecInstance,
} from "../wasm/codec-instance.ts";
import { scratchEvents } from "../wasm/codec-module.ts";
import type { EventSelector } from "./selecting-filter.ts";

/** As BackgroundActivityOptions, all given. */
interface Options {
  readonly supportUs: number;
  readonly supportMin: number;
  readonly samePolarity: boolean;
}

/** How far back times are kept, and how far apart those of one call may be, µs: 35 minutes. */
const keptUs = 2 ** 31;

/** What selectSupported() wants for 512 events. */
const blockBytes = 2 * 4 * 512;

/** Background activity in WebAssembly, with the maps in a memory of its own. */
class SupportSelector implements EventSelector {
  readonly #options: Options;
  readonly #stride: number;
  readonly #mapLength: number;
  readonly #exports: CodecExports;
  readonly #columns: DvsColumns;
  readonly #kept: Uint32Array;
  /** Address of `blockBytes` bytes. */
  readonly #scratch: number;
  readonly #buffer: ArrayBuffer;
  /** Address of room for the columns of the events kept. */
  readonly #packet: number;
  /** True if `#columns` and `#kept` are of all the events of the last packet. */
  #isWhole = false;
  /** Addresses of the maps of OFF and of ON events, or of the one for both. */
  readonly #maps: readonly [number, number];
  /** What times in the maps are counted from, µs; they have 32 bits, half the room of float64. */
  #baseUs = Number.NaN;

  constructor(instance: CodecInstance, stride: number, mapLength: number, options: Options) {
    const { exports, buffer, take } = instance;
    this.#options = options;
    this.#stride = stride;
    this.#mapLength = mapLength;
    this.#exports = exports;
    this.#columns = dvsColumns(buffer, scratchEvents, take(scratchEvents * dvsEventBytes));
    this.#kept = new Uint32Array(buffer, take(4 * scratchEvents), scratchEvents);
    this.#scratch = take(blockBytes);
    this.#buffer = buffer;
    this.#packet = take(scratchEvents * dvsEventBytes);
    const map = take(4 * mapLength);
    this.#maps = [map, options.samePolarity ? take(4 * mapLength) : map];
  }

  select(packet: DvsPacket, kept: Uint32Array): number {
    let n = 0;
    for (let from = 0; from < packet.count; ) {
      const to = this.#partEnd(packet, from);
      this.#isWhole = to - from === packet.count;
      const count = this.#selectPart(dvsPacketView(packet, from, to));
      kept.set(this.#kept.subarray(0, count), n);
      if (from > 0) for (let k = n; k < n + count; k++) kept[k]! += from;
      n += count;
      from = to;
    }
    return n;
  }

  /** Gathers them where they are, unless there were several parts. */
  takeKept(count: number, memory: PacketMemory | undefined): DvsColumns | undefined {
    if (!this.#isWhole) return undefined;
    const { timeUs, x, y, on } = this.#columns;
    this.#exports.gather(
      timeUs.byteOffset,
      x.byteOffset,
      y.byteOffset,
      on.byteOffset,
      this.#kept.byteOffset,
      this.#packet,
      count,
    );
    return copyPackedColumns(this.#buffer, this.#packet, count, memory);
  }

  /** Index behind as many events as fit the scratch memory and 32 bits of time. */
  #partEnd({ count, timeUs }: DvsPacket, from: number): number {
    let to = Math.min(from + scratchEvents, count);
    while (timeUs[to - 1]! - timeUs[from]! >= keptUs) to = from + ((to - from) >> 1);
    return to;
  }

  #selectPart(packet: DvsPacket): number {
    const { timeUs, x, y, on } = this.#columns;
    const { supportUs, supportMin } = this.#options;
    this.#rebase(packet.timeUs[0]!, packet.timeUs[packet.count - 1]!);
    copyDvsColumns(packet, packet.count, this.#columns);
    return this.#exports.selectSupported(
      timeUs.byteOffset,
      x.byteOffset,
      y.byteOffset,
      on.byteOffset,
      packet.count,
      ...this.#maps,
      this.#stride,
      this.#baseUs,
      supportUs,
      supportMin,
      this.#scratch,
      this.#kept.byteOffset,
    );
  }

  /** Moves the base so that times up to `lastUs`, and back to `keptUs` before `firstUs`, fit. */
  #rebase(firstUs: number, lastUs: number): void {
    const baseUs = firstUs - keptUs;
    if (lastUs - this.#baseUs < 2 ** 32 && baseUs >= this.#baseUs) return;
    // Before the first event the maps are empty.
    if (!Number.isNaN(this.#baseUs)) {
      for (const map of new Set(this.#maps)) {
        this.#exports.rebaseMap(map, this.#mapLength, baseUs - this.#baseUs);
      }
    }
    this.#baseUs = baseUs;
  }
}

/**
 * The selector of {@link createBackgroundActivityFilter} in WebAssembly: the same events.
 *
 * @returns undefined where there is no WebAssembly, or if support from longer ago than it keeps is
 *   asked for
 */
export function createSupportSelector(
  { width, height }: SensorSize,
  options: Options,
): EventSelector | undefined {
  if (options.supportUs >= keptUs) return undefined;
  const mapLength = (width + 2) * (height + 2);
  const instance = createCodecInstance([
    scratchEvents * dvsEventBytes,
    4 * scratchEvents,
    blockBytes,
    scratchEvents * dvsEventBytes,
    4 * mapLength,
    options.samePolarity ? 4 * mapLength : 0,
  ]);
  return instance && new SupportSelector(instance, width + 2, mapLength, options);
}
