import {
  copyDvsColumns,
  type DvsColumns,
  type DvsPacket,
  dvsColumns,
  dvsEventBytes,
} from "../../dvs-packet.ts";
import { copyColumns, type PacketMemory } from "../../packet-memory.ts";

/**
 * Why the time that seems to have passed before a packet's first event cannot be trusted, so that
 * a model re-bases its state instead of carrying it across a false step.
 * - `jump`: time went forward by more than a second between two readings of the sensor clock.
 * - `reset`: the sensor clock started again; the decoder goes on from the last time it gave out.
 */
export type Discontinuity = "jump" | "reset";

/** A packet as a decoder gives it out. */
export interface DecodedDvsPacket extends DvsPacket {
  readonly discontinuity: Discontinuity | undefined;
}

/** Events per packet at most. */
const packetEventsMax = 16_384;
/** Events that one word of input can hold at most (EVT 2.1: a vector of 32 pixels). */
const wordEventsMax = 32;
/** A packet with this many events is ready: the next word might not fit. */
export const packetEventsReady: number = packetEventsMax - wordEventsMax + 1;

/**
 * Collects decoded events into packets that do not depend on how the input came in: a packet ends
 * when another word of input might not fit, at a discontinuity and at the end of the input.
 *
 * Decoders write `columns[…][count]` themselves and then set `count`.
 */
export class PacketBuilder {
  count = 0;
  #columns: DvsColumns = createColumns();
  /** Those given out last as they are, to who will be done with them before the next. */
  #lent: DvsColumns | undefined;
  #width = 0;
  #height = 0;
  #discontinuity: Discontinuity | undefined;
  #closed: DecodedDvsPacket | undefined;

  /** Where events are collected; other memory after each packet. */
  get columns(): DvsColumns {
    return this.#columns;
  }

  get width(): number {
    return this.#width;
  }

  get height(): number {
    return this.#height;
  }

  /** Sensor size in pixels. Events already collected keep theirs. */
  setSize(width: number, height: number): void {
    if (this.count > 0 && (width !== this.#width || height !== this.#height)) this.#close();
    this.#width = width;
    this.#height = height;
  }

  /** Ends the packet under construction and marks the one that begins now. */
  cut(discontinuity: Discontinuity): void {
    if (this.count > 0) this.#close();
    this.#discontinuity = discontinuity;
  }

  /** Adds one event. For rare paths; hot loops write the columns themselves. */
  append(timeUs: number, x: number, y: number, on: number): void {
    const { columns, count } = this;
    columns.timeUs[count] = timeUs;
    columns.x[count] = x;
    columns.y[count] = y;
    columns.on[count] = on;
    this.count = count + 1;
  }

  /** Adds the first `count` events of `columns`. There must be room for them. */
  appendColumns(columns: DvsColumns, count: number): void {
    copyDvsColumns(columns, count, this.columns, this.count);
    this.count += count;
  }

  /** True if a packet waits to be taken, and no event may be added before it has been. */
  get isReady(): boolean {
    return this.#closed !== undefined || this.count >= packetEventsReady;
  }

  /**
   * The packet that is ready.
   *
   * @param memory says that the caller is done with the packet before; its columns are then lent
   */
  take(memory?: PacketMemory): DecodedDvsPacket | undefined {
    if (this.#closed === undefined && this.count >= packetEventsReady) this.#close(memory);
    const packet = this.#closed;
    this.#closed = undefined;
    return packet;
  }

  /** What has been collected, full or not; `undefined` if there is nothing. */
  takeRest(): DecodedDvsPacket | undefined {
    if (this.#closed === undefined && this.count > 0) this.#close();
    return this.take();
  }

  #close(memory?: PacketMemory): void {
    const { count } = this;
    const columns = this.#takeColumns(memory);
    this.#closed = {
      width: this.#width,
      height: this.#height,
      count,
      ...columns,
      discontinuity: this.#discontinuity,
    };
    this.#discontinuity = undefined;
    this.count = 0;
  }

  /** The columns of the packet that is closed; whole packets keep the columns' length. */
  #takeColumns(memory: PacketMemory | undefined): DvsColumns {
    const { count } = this;
    if (count < packetEventsReady) return copyColumns(this.#columns, count);
    if (memory === undefined) {
      return dvsColumns((this.#columns.timeUs.buffer as ArrayBuffer).slice(), packetEventsMax);
    }
    const given = this.#columns;
    this.#columns = this.#lent ?? createColumns();
    this.#lent = given;
    return given;
  }
}

function createColumns(): DvsColumns {
  return dvsColumns(new ArrayBuffer(packetEventsMax * dvsEventBytes), packetEventsMax);
}
