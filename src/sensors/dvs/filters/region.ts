import type { SensorSize } from "../codecs/dvs-decoder.ts";
import { type DvsPacket, dvsPacketView } from "../dvs-packet.ts";
import type { PacketMemory } from "../packet-memory.ts";
import type { DvsFilter, FilterCounts } from "./dvs-filter.ts";
import { type EventSelector, SelectingFilter } from "./selecting-filter.ts";

/** Pixels x … x + width − 1, y … y + height − 1. */
export interface Region extends SensorSize {
  readonly x: number;
  readonly y: number;
}

class InRegion implements EventSelector {
  readonly #region: Region;

  constructor(region: Region) {
    this.#region = region;
  }

  select(packet: DvsPacket, kept: Uint32Array): number {
    const { x: left, y: top, width, height } = this.#region;
    const { count, x, y } = packet;
    const right = left + width;
    const bottom = top + height;
    let n = 0;
    for (let i = 0; i < count; i++) {
      if (x[i]! >= left && x[i]! < right && y[i]! >= top && y[i]! < bottom) kept[n++] = i;
    }
    return n;
  }
}

class RegionFilter implements DvsFilter {
  readonly size: SensorSize;
  readonly #region: Region;
  readonly #selected: SelectingFilter;

  constructor(size: SensorSize, region: Region) {
    this.size = { width: region.width, height: region.height };
    this.#region = region;
    this.#selected = new SelectingFilter(size, new InRegion(region));
  }

  get counts(): FilterCounts {
    return this.#selected.counts;
  }

  apply(packet: DvsPacket, memory?: PacketMemory): DvsPacket {
    const { x: left, y: top, width, height } = this.#region;
    const inside = this.#selected.apply(packet, memory);
    if (left === 0 && top === 0) return { ...inside, width, height };
    return {
      ...dvsPacketView(inside, 0, inside.count),
      width,
      height,
      x: inside.x.map((x) => x - left),
      y: inside.y.map((y) => y - top),
    };
  }
}

/** Keeps the events in `region`, whose corner becomes the origin. */
export function createRegionFilter(size: SensorSize, region: Region): DvsFilter {
  const { x, y, width, height } = region;
  const areWhole = [x, y, width, height].every(Number.isInteger);
  const fits = x >= 0 && y >= 0 && x + width <= size.width && y + height <= size.height;
  if (!areWhole || !fits || width < 1 || height < 1) {
    throw new RangeError(
      `Cannot make a region filter: the region must lie in ${size.width} × ${size.height}, got ${width} × ${height} at ${x}, ${y}`,
    );
  }
  return new RegionFilter(size, region);
}
