import type { CodecModule } from "../../wasm/codec-module.ts";
import { type RowState, WordRun } from "../../wasm/word-run.ts";
import type { AnomalyReason } from "../stream/anomalies.ts";
import { bitCount } from "../stream/bit-count.ts";
import type { ByteQueue } from "../stream/byte-queue.ts";
import { EventClock } from "../stream/event-clock.ts";
import { type PacketBuilder, packetEventsReady } from "../stream/packet-builder.ts";
import type { DecoderCounts, PayloadDecoder } from "../stream/payload-decoder.ts";

const wordBytes = 2;
const typeY = 0x0;
const typeYOther = 0x1;
const typeX = 0x2;
const typeBaseX = 0x3;
const typeVector12 = 0x4;
const typeVector8 = 0x5;
const typeTimeLow = 0x6;
const typeTimeHigh = 0x8;
const typeTrigger = 0xa;
/** Bit n: type n is unknown (0x9, 0xB, 0xC, 0xD); the others not named above are skipped. */
const unknownTypes = 0b0011_1010_0000_0000;
const timeHighUs = 4096;
const timeRangeUs = 4096 * timeHighUs;
/** What no word has set yet, or not to something that counts. */
const none = -1;

/**
 * EVT 3.0: little-endian 16-bit words, type in bits 12–15, that update a state of time, row and
 * column (openeb 5.1.1, evt3_event_types.h). Only ADDR_X and the two vector words emit events.
 *
 * TIME_HIGH with a new value sets the low time to 0; repeated, it leaves it. Each vector word is
 * taken by itself. Events before the first TIME_HIGH are dropped. The first ADDR_Y fixes which of two cameras in one stream is decoded.
 */
export class Evt3Payload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  readonly #run: WordRun | undefined;
  readonly #state: RowState = {
    timeHigh: none,
    baseUs: 0,
    timeLow: 0,
    camera: none,
    row: none,
    baseX: none,
    baseOn: 0,
  };
  /** Why events in the current row do not count, if they do not. */
  #rowFault: AnomalyReason = "before-first-address";

  /** @param module for the regular words; the others, or all without it, are decoded here */
  constructor(counts: DecoderCounts, module: CodecModule | undefined) {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, timeRangeUs);
    this.#run = module && new WordRun(module, "evt3", timeHighUs);
  }

  decode(bytes: ByteQueue, packets: PacketBuilder): boolean {
    const clock = this.#clock;
    while (clock.discontinuity === undefined) {
      if (clock.isSet) this.#run?.decode(this.#state, clock, bytes, packets);
      this.#decodeRun(bytes, packets);
      if (packets.count >= packetEventsReady || bytes.length < wordBytes) break;
      const word = bytes.view.getUint16(bytes.start, true);
      bytes.consume(wordBytes);
      this.#readRare(word, word >>> 12, packets);
    }
    clock.cutIfDiscontinuous(packets);
    return bytes.length < wordBytes;
  }

  /** Decodes the words a busy scene consists of, up to the first of another type. */
  #decodeRun(bytes: ByteQueue, packets: PacketBuilder): void {
    const { view } = bytes;
    const { timeUs, x, y, on } = packets.columns;
    const { width, height } = packets;
    const clock = this.#clock;
    const state = this.#state;
    const end = bytes.end - wordBytes;
    let at = bytes.start;
    let row = this.#timedRow();
    let eventUs = state.baseUs + state.timeLow;
    let count = packets.count;
    while (count < packetEventsReady && at <= end) {
      const word = view.getUint16(at, true);
      const type = word >>> 12;
      if (type === typeX) {
        const px = word & 0x7ff;
        if (row === none || px >= width || eventUs < clock.lastUs) break;
        timeUs[count] = eventUs;
        x[count] = px;
        y[count] = row;
        on[count] = (word >>> 11) & 1;
        count++;
        clock.lastUs = eventUs;
      } else if (type === typeTimeLow) {
        state.timeLow = word & 0xfff;
        eventUs = state.baseUs + state.timeLow;
      } else if (type === typeY) {
        this.#readRow(word, height);
        row = this.#timedRow();
      } else {
        break;
      }
      at += wordBytes;
    }
    bytes.consumeTo(at);
    packets.count = count;
  }

  /** Without a time there is no event, whatever the row. */
  #timedRow(): number {
    return this.#state.timeHigh === none ? none : this.#state.row;
  }

  #readRare(word: number, type: number, packets: PacketBuilder): void {
    switch (type) {
      case typeX:
        this.#emit(word & 0x7ff, 1, 1, (word >>> 11) & 1, packets);
        break;
      case typeBaseX:
        this.#state.baseX = word & 0x7ff;
        this.#state.baseOn = (word >>> 11) & 1;
        break;
      case typeVector12:
        this.#readVector(word & 0xfff, 12, packets);
        break;
      case typeVector8:
        this.#readVector(word & 0xff, 8, packets);
        break;
      case typeTimeHigh:
        this.#readTimeHigh(word & 0xfff);
        break;
      case typeYOther:
        this.#state.row = none;
        this.#rowFault = "not-change-detection";
        break;
      case typeTrigger:
        this.#counts.triggers++;
        break;
      default:
        if ((unknownTypes >>> type) & 1) this.#counts.anomalies["unknown-word"]++;
    }
  }

  #readVector(mask: number, pixels: number, packets: PacketBuilder): void {
    const state = this.#state;
    const from = state.baseX;
    if (from === none) {
      this.#drop(mask, "before-first-address");
      return;
    }
    state.baseX = from + pixels;
    this.#emit(from, mask, pixels, state.baseOn, packets);
  }

  /** Gives out an event for each one among the `pixels` bits of `mask`, from column `fromX` on. */
  #emit(fromX: number, mask: number, pixels: number, on: number, packets: PacketBuilder): void {
    const { row, timeHigh, baseUs, timeLow } = this.#state;
    if (row === none || timeHigh === none) {
      this.#drop(mask, this.#rowFault);
      return;
    }
    const { columns, width } = packets;
    const clock = this.#clock;
    const eventUs = baseUs + timeLow;
    const timeUs = Math.max(eventUs, clock.lastUs);
    const inside = fromX + pixels <= width ? mask : mask & (2 ** Math.max(width - fromX, 0) - 1);
    let count = packets.count;
    for (let rest = inside; rest !== 0; rest &= rest - 1) {
      columns.timeUs[count] = timeUs;
      columns.x[count] = fromX + 31 - Math.clz32(rest & -rest);
      columns.y[count] = row;
      columns.on[count] = on;
      count++;
    }
    if (inside !== mask) this.#counts.anomalies["x-out-of-range"] += bitCount(mask ^ inside);
    if (eventUs < timeUs) this.#counts.anomalies["time-regression"] += count - packets.count;
    if (inside !== 0) clock.lastUs = timeUs;
    packets.count = count;
  }

  /** Events without a time are counted as that, whatever else is wrong with them. */
  #drop(mask: number, reason: AnomalyReason): void {
    const actual = this.#state.timeHigh === none ? "before-first-time" : reason;
    this.#counts.anomalies[actual] += bitCount(mask);
  }

  #readTimeHigh(timeHigh: number): void {
    const state = this.#state;
    if (timeHigh === state.timeHigh) return;
    state.timeHigh = timeHigh;
    state.timeLow = 0;
    state.baseUs = this.#clock.unwrap(timeHigh * timeHighUs);
  }

  #readRow(word: number, height: number): void {
    const camera = (word >>> 11) & 1;
    const state = this.#state;
    if (state.camera === none) state.camera = camera;
    const row = word & 0x7ff;
    state.row = none;
    if (camera !== state.camera) this.#rowFault = "other-camera";
    else if (row >= height) this.#rowFault = "y-out-of-range";
    else state.row = row;
  }
}
