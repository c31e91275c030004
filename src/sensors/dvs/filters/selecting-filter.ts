import type { SensorSize } from "../codecs/dvs-decoder.ts";
import {
  copyDvsColumns,
  createDvsPacket,
  type DvsColumns,
  type DvsPacket,
  dvsPacketView,
} from "../dvs-packet.ts";
import type { PacketMemory } from "../packet-memory.ts";
import { type CodecModule, codecModule, scratchEvents } from "../wasm/codec-module.ts";
import type { DvsFilter, FilterCounts } from "./dvs-filter.ts";

/** Decides which events pass. Called once per packet, so that its loop stays free of calls. */
export interface EventSelector {
  /**
   * Writes the indices of the events that pass to `kept`, in ascending order; it need not where
   * `takeKept` has the events.
   *
   * @returns how many there are
   */
  select(packet: DvsPacket, kept: Uint32Array): number;
  /**
   * The `count` events that the last call of `select` has kept, where the selector has them at hand.
   *
   * @param memory where they may go
   */
  takeKept?(count: number, memory: PacketMemory | undefined): DvsColumns | undefined;
}

/** Checks once per packet what all selectors rely on, and copies the events that pass. */
export class SelectingFilter implements DvsFilter {
  readonly size: SensorSize;
  readonly #selector: EventSelector;
  #kept: Uint32Array = new Uint32Array(0);
  #events = 0;
  #keptEvents = 0;

  constructor(size: SensorSize, selector: EventSelector) {
    this.size = size;
    this.#selector = selector;
  }

  get counts(): FilterCounts {
    return { events: this.#events, kept: this.#keptEvents };
  }

  apply(packet: DvsPacket, memory?: PacketMemory): DvsPacket {
    const { width, height } = this.size;
    if (packet.width !== width || packet.height !== height) {
      throw new RangeError(
        `Cannot filter events: packets must be ${width} × ${height}, got ${packet.width} × ${packet.height}`,
      );
    }
    if (this.#kept.length < packet.count) this.#kept = new Uint32Array(packet.count);
    const count = this.#selector.select(packet, this.#kept);
    this.#events += packet.count;
    this.#keptEvents += count;
    if (count === packet.count) return dvsPacketView(packet, 0, count);
    const columns = this.#selector.takeKept?.(count, memory);
    return columns === undefined
      ? gather(packet, this.#kept, count, memory)
      : { width, height, count, ...columns };
  }
}

/** Fewer events are not worth the call of WebAssembly. */
const fastEventsMin = 64;

function gather(
  packet: DvsPacket,
  kept: Uint32Array,
  count: number,
  memory: PacketMemory | undefined,
): DvsPacket {
  const module = codecModule();
  const isWorthIt = count >= fastEventsMin && packet.count <= scratchEvents;
  return module !== undefined && isWorthIt
    ? gatherFast(module, packet, kept, count, memory)
    : gatherPlain(packet, kept, count);
}

/** The same in WebAssembly. */
function gatherFast(
  { exports, input, columns, packet: target, takePacket }: CodecModule,
  packet: DvsPacket,
  kept: Uint32Array,
  count: number,
  memory: PacketMemory | undefined,
): DvsPacket {
  const { timeUs, x, y, on } = columns;
  copyDvsColumns(packet, packet.count, columns);
  new Uint32Array(input.buffer, input.byteOffset, count).set(kept.subarray(0, count));
  exports.gather(
    timeUs.byteOffset,
    x.byteOffset,
    y.byteOffset,
    on.byteOffset,
    input.byteOffset,
    target,
    count,
  );
  return { width: packet.width, height: packet.height, count, ...takePacket(count, memory) };
}

function gatherPlain(packet: DvsPacket, kept: Uint32Array, count: number): DvsPacket {
  const output = createDvsPacket(packet.width, packet.height, count);
  const { timeUs, x, y, on } = output;
  for (let k = 0; k < count; k++) {
    const i = kept[k]!;
    timeUs[k] = packet.timeUs[i]!;
    x[k] = packet.x[i]!;
    y[k] = packet.y[i]!;
    on[k] = packet.on[i]!;
  }
  return output;
}
