import { bitCount } from "../stream/bit-count.ts";
import type { ByteQueue } from "../stream/byte-queue.ts";
import { EventClock } from "../stream/event-clock.ts";
import { type PacketBuilder, packetEventsReady } from "../stream/packet-builder.ts";
import type { DecoderCounts, PayloadDecoder } from "../stream/payload-decoder.ts";

const wordBytes = 8;
const typeTimeHigh = 0x8;
const typeTrigger = 0xa;
/** OTHERS and CONTINUED: known, and of no interest here. */
const typeFirstSkipped = 0xe;
const timeHighMask = 0x0fffffff;
const timeHighUs = 64;
const timeRangeUs = 2 ** 28 * timeHighUs;

/**
 * EVT 2.1: 64-bit words (openeb 5.1.1, evt21_event_types.h). One half says type 28–31, low time
 * 22–27, x 11–21, y 0–10 like an EVT 2.0 word; the other is a mask of the 32 pixels from x on. The
 * mask comes first, or second in the legacy order.
 */
export class Evt21Payload implements PayloadDecoder {
  readonly #counts: DecoderCounts;
  readonly #clock: EventClock;
  readonly #maskAt: number;
  readonly #headAt: number;
  #timeHigh = -1;
  #baseUs = 0;

  constructor(counts: DecoderCounts, order: "little" | "legacy") {
    this.#counts = counts;
    this.#clock = new EventClock(counts.anomalies, timeRangeUs);
    this.#maskAt = order === "little" ? 0 : 4;
    this.#headAt = 4 - this.#maskAt;
  }

  decode(bytes: ByteQueue, packets: PacketBuilder): boolean {
    const { view } = bytes;
    const clock = this.#clock;
    const end = bytes.end - wordBytes;
    let at = bytes.start;
    while (packets.count < packetEventsReady && at <= end) {
      const head = view.getUint32(at + this.#headAt, true);
      const mask = view.getUint32(at + this.#maskAt, true);
      at += wordBytes;
      const type = head >>> 28;
      if (type <= 1) {
        this.#readVector(head, mask, packets);
      } else if (type === typeTimeHigh) {
        this.#readTimeHigh(head & timeHighMask);
        if (clock.discontinuity !== undefined) break;
      } else if (type === typeTrigger) {
        this.#counts.triggers++;
      } else if (type < typeFirstSkipped) {
        this.#counts.anomalies["unknown-word"]++;
      }
    }
    bytes.consumeTo(at);
    clock.cutIfDiscontinuous(packets);
    return bytes.length < wordBytes;
  }

  #readTimeHigh(timeHigh: number): void {
    if (timeHigh === this.#timeHigh) return;
    this.#timeHigh = timeHigh;
    this.#baseUs = this.#clock.unwrap(timeHigh * timeHighUs);
  }

  #readVector(head: number, mask: number, packets: PacketBuilder): void {
    const { anomalies } = this.#counts;
    const clock = this.#clock;
    const events = bitCount(mask);
    const y = head & 0x7ff;
    if (!clock.isSet) {
      anomalies["before-first-time"] += events;
      return;
    }
    if (y >= packets.height) {
      anomalies["y-out-of-range"] += events;
      return;
    }
    const { columns, width } = packets;
    const baseX = (head >>> 11) & 0x7ff;
    const eventUs = this.#baseUs + ((head >>> 22) & 0x3f);
    const timeUs = Math.max(eventUs, clock.lastUs);
    const first = packets.count;
    let count = first;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const x = baseX + 31 - Math.clz32(rest & -rest);
      if (x >= width) break;
      columns.timeUs[count] = timeUs;
      columns.x[count] = x;
      columns.y[count] = y;
      columns.on[count] = head >>> 28;
      count++;
    }
    packets.count = count;
    anomalies["x-out-of-range"] += events - (count - first);
    if (count > first) clock.lastUs = timeUs;
    if (eventUs < timeUs) anomalies["time-regression"] += count - first;
  }
}
