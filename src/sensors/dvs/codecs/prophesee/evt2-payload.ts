import type { CodecModule } from "../../wasm/codec-module.ts";
import { WordRun, type WordState } from "../../wasm/word-run.ts";
import type { ByteQueue } from "../stream/byte-queue.ts";
import { EventClock } from "../stream/event-clock.ts";
import { type PacketBuilder, packetEventsReady } from "../stream/packet-builder.ts";
import type { DecoderCounts, PayloadDecoder } from "../stream/payload-decoder.ts";

const wordBytes = 4;
const typeTimeHigh = 0x8;
const typeTrigger = 0xa;
/** IMU, OTHER and CONTINUED: known, and of no interest here. */
const typeFirstSkipped = 0xd;
const timeHighMask = 0x0fffffff;
/** One step of TIME_HIGH, µs. A product, since a shift by 6 would leave 32 bits after 36 minutes. */
const timeHighUs = 64;
const timeRangeUs = 2 ** 28 * timeHighUs;

/**
 * EVT 2.0: little-endian 32-bit words, type in bits 28–31 (openeb 5.1.1, evt2_event_types.h). CD
 * OFF 0 and ON 1: y bits 0–10, x 11–21, low time 22–27; TIME_HIGH 8: high time, 64 µs, bits 0–27.
 */
export class Evt2Payload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  readonly #state: WordState = { timeHigh: -1, baseUs: 0 };
  readonly #run: WordRun | undefined;

  /** @param module for the regular words; the others, or all without it, are decoded here */
  constructor(counts: DecoderCounts, module: CodecModule | undefined) {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, timeRangeUs);
    this.#run = module && new WordRun(module, "evt2", timeHighUs);
  }

  decode(bytes: ByteQueue, packets: PacketBuilder): boolean {
    if (!this.#clock.isSet) this.#skipToTime(bytes);
    if (this.#clock.isSet) this.#decodeEvents(bytes, packets);
    return bytes.length < wordBytes;
  }

  /** Events have no time before the first TIME_HIGH. */
  #skipToTime(bytes: ByteQueue): void {
    const { view, end } = bytes;
    for (let at = bytes.start; at + wordBytes <= end; at += wordBytes) {
      const word = view.getUint32(at, true);
      const type = word >>> 28;
      if (type === typeTimeHigh) {
        this.#readTimeHigh(word & timeHighMask);
        bytes.consumeTo(at);
        return;
      }
      if (type <= 1) this.#counts.anomalies["before-first-time"]++;
      else this.#readOther(type);
    }
    bytes.consume(bytes.length - (bytes.length % wordBytes));
  }

  #decodeEvents(bytes: ByteQueue, packets: PacketBuilder): void {
    const clock = this.#clock;
    while (clock.discontinuity === undefined) {
      this.#run?.decode(this.#state, clock, bytes, packets);
      this.#decodeRun(bytes, packets);
      if (packets.count >= packetEventsReady || bytes.length < wordBytes) break;
      const word = bytes.view.getInt32(bytes.start, true);
      const type = word >>> 28;
      bytes.consume(wordBytes);
      if (type === typeTimeHigh) this.#readTimeHigh(word & timeHighMask);
      else this.#readOther(type);
    }
    clock.cutIfDiscontinuous(packets);
  }

  /** Decodes CD events up to the first word of another type. */
  #decodeRun(bytes: ByteQueue, packets: PacketBuilder): void {
    const { view } = bytes;
    const { width, height } = packets;
    const { timeUs, x, y, on } = packets.columns;
    const { baseUs } = this.#state;
    const end = bytes.end - wordBytes;
    let at = bytes.start;
    let count = packets.count;
    let lastUs = this.#clock.lastUs;
    let regressions = 0;
    while (count < packetEventsReady && at <= end) {
      const word = view.getInt32(at, true);
      if (word >>> 28 > 1) break;
      at += wordBytes;
      const px = (word >>> 11) & 0x7ff;
      const py = word & 0x7ff;
      if (px >= width || py >= height) {
        this.#dropOutside(px >= width);
        continue;
      }
      const eventUs = baseUs + ((word >>> 22) & 0x3f);
      if (eventUs >= lastUs) lastUs = eventUs;
      else regressions++;
      timeUs[count] = lastUs;
      x[count] = px;
      y[count] = py;
      on[count] = word >>> 28;
      count++;
    }
    bytes.consumeTo(at);
    packets.count = count;
    this.#clock.lastUs = lastUs;
    this.#counts.anomalies["time-regression"] += regressions;
  }

  #readTimeHigh(timeHigh: number): void {
    const state = this.#state;
    if (timeHigh === state.timeHigh) return;
    state.timeHigh = timeHigh;
    state.baseUs = this.#clock.unwrap(timeHigh * timeHighUs);
  }

  #dropOutside(isX: boolean): void {
    this.#counts.anomalies[isX ? "x-out-of-range" : "y-out-of-range"]++;
  }

  #readOther(type: number): void {
    if (type === typeTrigger) this.#counts.triggers++;
    else if (type < typeFirstSkipped) this.#counts.anomalies["unknown-word"]++;
  }
}
