import type { SensorSize } from "../codecs/dvs-decoder.ts";
import {
  copyDvsColumns,
  type DvsColumns,
  type DvsPacket,
  dvsColumns,
  dvsEventBytes,
  dvsPacketView,
} from "../dvs-packet.ts";
import { copyColumns, type PacketMemory } from "../packet-memory.ts";
import {
  type CodecExports,
  type CodecInstance,
  createCodecInstance,
} from "../wasm/codec-instance.ts";
import { scratchEvents } from "../wasm/codec-module.ts";
import { addPacketHome, packetHomeBytes } from "../wasm/packet-home.ts";
import type { EventSelector } from "./selecting-filter.ts";

/** As BackgroundActivityOptions, all given. */
interface Options {
  readonly supportUs: number;
  readonly supportMin: number;
  readonly samePolarity: boolean;
}

/** How far back times are kept in 32 bits, and how far apart those of one call may be, µs: 35 minutes. */
const wideUs = 2 ** 31;
/** What 16 bits of time hold, µs. */
const narrowUs = 2 ** 16;

/** What selectSupported() and selectNarrow() want for 512 events. */
const blockBytes = 2 * 4 * 512;

/** Going over the narrow map takes as long as it saves on one event for so many pixels. */
const pixelsPerEvent = 32;

/**
 * Background activity in WebAssembly, with the maps in a memory of its own. Where one neighbour of any
 * polarity is enough, times have 16 bits as long as events are dense: the map is then half as large,
 * and its speed is that of the cache.
 */
class SupportSelector implements EventSelector {
  readonly #options: Options;
  readonly #size: SensorSize;
  readonly #exports: CodecExports;
  readonly #columns: DvsColumns;
  readonly #kept: Uint32Array;
  /** Address of `blockBytes` bytes. */
  readonly #scratch: number;
  /** Columns of the events kept. */
  readonly #passed: DvsColumns;
  /** True if `#columns` and `#kept` are of all the events of the last packet. */
  #isWhole = false;
  /** Addresses of the maps of OFF and of ON events, or of the one for both. */
  readonly #maps: readonly [number, number];
  /** Address of the narrow map. */
  readonly #narrowMap: number;
  /** True as long as times are kept in the narrow map. */
  #isNarrow: boolean;
  /** What times in the maps are counted from, µs. */
  #baseUs = Number.NaN;
  /** Events since the base was moved. */
  #events = 0;

  constructor(instance: CodecInstance, size: SensorSize, options: Options) {
    const { exports, buffer, take } = instance;
    this.#options = options;
    this.#size = size;
    this.#exports = exports;
    this.#columns = dvsColumns(buffer, scratchEvents, take(scratchEvents * dvsEventBytes));
    this.#kept = new Uint32Array(buffer, take(4 * scratchEvents), scratchEvents);
    this.#scratch = take(blockBytes);
    this.#passed = dvsColumns(buffer, scratchEvents, take(scratchEvents * dvsEventBytes));
    addPacketHome(instance);
    const map = take(mapBytes(size));
    this.#maps = [map, options.samePolarity ? take(mapBytes(size)) : map];
    this.#isNarrow = canBeNarrow(options);
    this.#narrowMap = this.#isNarrow ? take(mapBytes(size) / 2) : 0;
  }

  select(packet: DvsPacket, kept: Uint32Array): number {
    if (packet.count === 0) return 0;
    this.#isWhole = this.#partEnd(packet, 0) === packet.count;
    return this.#isWhole ? this.#selectPart(packet) : this.#selectParts(packet, kept);
  }

  #selectParts(packet: DvsPacket, kept: Uint32Array): number {
    let n = 0;
    for (let from = 0; from < packet.count; ) {
      const to = this.#partEnd(packet, from);
      const count = this.#selectPart(dvsPacketView(packet, from, to));
      for (let k = 0; k < count; k++) kept[n + k] = from + this.#kept[k]!;
      n += count;
      from = to;
    }
    return n;
  }

  /** They have been copied, unless there were several parts. */
  takeKept(count: number, memory: PacketMemory | undefined): DvsColumns | undefined {
    if (!this.#isWhole) return undefined;
    return memory === undefined ? copyColumns(this.#passed, count) : this.#passed;
  }

  /** Index behind as many events as fit the scratch memory and 32 bits of time. */
  #partEnd({ count, timeUs }: DvsPacket, from: number): number {
    let to = Math.min(from + scratchEvents, count);
    while (timeUs[to - 1]! - timeUs[from]! >= wideUs) to = from + ((to - from) >> 1);
    return to;
  }

  #selectPart(packet: DvsPacket): number {
    const { count } = packet;
    const firstUs = packet.timeUs[0]!;
    const lastUs = packet.timeUs[count - 1]!;
    if (this.#isNarrow) this.#rebaseNarrow(firstUs, lastUs);
    if (!this.#isNarrow) this.#rebaseWide(firstUs, lastUs);
    this.#events += count;
    copyDvsColumns(packet, count, this.#columns);
    return this.#isNarrow ? this.#selectNarrow(count) : this.#selectWide(count);
  }

  #selectNarrow(count: number): number {
    const { timeUs, x, y, on } = this.#columns;
    const passed = this.#passed;
    return this.#exports.selectNarrow(
      timeUs.byteOffset,
      x.byteOffset,
      y.byteOffset,
      on.byteOffset,
      count,
      this.#narrowMap,
      this.#size.width + 2,
      this.#baseUs,
      this.#options.supportUs,
      this.#scratch,
      this.#kept.byteOffset,
      passed.timeUs.byteOffset,
      passed.x.byteOffset,
      passed.y.byteOffset,
      passed.on.byteOffset,
    );
  }

  #selectWide(count: number): number {
    const { timeUs, x, y, on } = this.#columns;
    const { supportUs, supportMin } = this.#options;
    const passed = this.#passed;
    return this.#exports.selectSupported(
      timeUs.byteOffset,
      x.byteOffset,
      y.byteOffset,
      on.byteOffset,
      count,
      ...this.#maps,
      this.#size.width + 2,
      this.#baseUs,
      supportUs,
      supportMin,
      this.#scratch,
      this.#kept.byteOffset,
      passed.timeUs.byteOffset,
      passed.x.byteOffset,
      passed.y.byteOffset,
      passed.on.byteOffset,
    );
  }

  /**
   * Moves the base so that times up to `lastUs`, and back to what can support an event at `firstUs`,
   * fit the narrow map. Where that cannot be, or events are too few for it, goes on with the wide one.
   */
  #rebaseNarrow(firstUs: number, lastUs: number): void {
    // A time of 0 stands for none.
    const baseUs = firstUs - Math.ceil(this.#options.supportUs) - 1;
    if (lastUs - this.#baseUs < narrowUs && baseUs >= this.#baseUs) return;
    const isFirst = Number.isNaN(this.#baseUs);
    const isSparse = !isFirst && pixelsPerEvent * this.#events < mapBytes(this.#size) / 4;
    if (isSparse || lastUs - baseUs >= narrowUs || baseUs < this.#baseUs) {
      this.#exports.widenMap(this.#narrowMap, this.#maps[0], mapBytes(this.#size) / 4);
      this.#isNarrow = false;
      return;
    }
    if (!isFirst) {
      const shiftUs = Math.min(baseUs - this.#baseUs, narrowUs - 1);
      this.#exports.rebaseNarrow(this.#narrowMap, mapBytes(this.#size) / 4, shiftUs);
    }
    this.#baseUs = baseUs;
    this.#events = 0;
  }

  /** Moves the base so that times up to `lastUs`, and back to `wideUs` before `firstUs`, fit. */
  #rebaseWide(firstUs: number, lastUs: number): void {
    const baseUs = firstUs - wideUs;
    if (lastUs - this.#baseUs < 2 ** 32 && baseUs >= this.#baseUs) return;
    // Before the first event the maps are empty.
    if (!Number.isNaN(this.#baseUs)) {
      for (const map of new Set(this.#maps)) {
        this.#exports.rebaseMap(map, mapBytes(this.#size) / 4, baseUs - this.#baseUs);
      }
    }
    this.#baseUs = baseUs;
  }
}

/** Bytes of a map of u32 with a border of one pixel. */
function mapBytes({ width, height }: SensorSize): number {
  return 4 * (width + 2) * (height + 2);
}

/** Half of the 16 bits at least are for the events of a packet. */
function canBeNarrow({ supportUs, supportMin, samePolarity }: Options): boolean {
  return supportUs < narrowUs / 2 && supportMin === 1 && !samePolarity;
}

/**
 * The selector of {@link createBackgroundActivityFilter} in WebAssembly: the same events.
 *
 * @returns undefined where there is no WebAssembly, or if support from longer ago than it keeps is
 *   asked for
 */
export function createSupportSelector(
  size: SensorSize,
  options: Options,
): EventSelector | undefined {
  if (options.supportUs >= wideUs) return undefined;
  const instance = createCodecInstance([
    scratchEvents * dvsEventBytes,
    4 * scratchEvents,
    blockBytes,
    scratchEvents * dvsEventBytes,
    packetHomeBytes,
    mapBytes(size),
    options.samePolarity ? mapBytes(size) : 0,
    canBeNarrow(options) ? mapBytes(size) / 2 : 0,
  ]);
  return instance && new SupportSelector(instance, size, options);
}
