import type { AnomalyCounts } from "../stream/anomalies.ts";
import { bitCount } from "../stream/bit-count.ts";
import type { EventClock } from "../stream/event-clock.ts";
import type { PacketBuilder } from "../stream/packet-builder.ts";

const wordBytes = 2;
const codeTimeHigh = 0;
const codeTimeLow = 1;
const codeX = 2;
const codeY = 3;
const codeBaseY = 4;
const codeVector8 = 5;
const vectorPixels = 8;
const none = -1;

/**
 * One message of `libcaer_cmp` words (event_camera_codecs, libcaer_cmp_types.h): 16 bits, code in
 * bits 12–15, that update a state of time and column; ADDR_Y and the vector of eight rows emit.
 * The state begins anew with each message.
 */
export class LibcaerCmpMessage {
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;
  readonly #baseUs: number;
  readonly #clock: EventClock;
  readonly #anomalies: AnomalyCounts;
  #at = 0;
  #timeHigh = 0;
  #timeLow = 0;
  #x = none;
  #baseY = none;
  #baseOn = 0;

  /** @param baseUs time that the message's times count from, µs */
  constructor(
    view: DataView,
    isLittleEndian: boolean,
    baseUs: number,
    clock: EventClock,
    anomalies: AnomalyCounts,
  ) {
    this.#view = view;
    this.#isLittleEndian = isLittleEndian;
    this.#baseUs = baseUs;
    this.#clock = clock;
    this.#anomalies = anomalies;
  }

  /** @returns true at the end of the message */
  decode(packets: PacketBuilder): boolean {
    const view = this.#view;
    const end = view.byteLength - wordBytes;
    while (this.#at <= end && !packets.isReady) {
      const word = view.getUint16(this.#at, this.#isLittleEndian);
      this.#at += wordBytes;
      const payload = word & 0xfff;
      switch (word >>> 12) {
        case codeTimeHigh:
          this.#timeHigh = payload;
          break;
        case codeTimeLow:
          this.#timeLow = payload;
          break;
        case codeX:
          this.#x = payload & 0x7ff;
          break;
        case codeY:
          this.#emit(payload & 0x7ff, 1, payload >>> 11, packets);
          break;
        case codeBaseY:
          this.#baseY = payload & 0x7ff;
          this.#baseOn = payload >>> 11;
          break;
        case codeVector8:
          this.#readVector(payload & 0xff, packets);
          break;
        default:
          this.#anomalies["unknown-word"]++;
      }
    }
    if (this.#at <= end) return false;
    if (this.#at !== view.byteLength) this.#anomalies["truncated-tail"]++;
    return true;
  }

  #readVector(mask: number, packets: PacketBuilder): void {
    if (this.#baseY === none) {
      this.#anomalies["before-first-address"] += bitCount(mask);
      return;
    }
    this.#emit(this.#baseY, mask, this.#baseOn, packets);
    this.#baseY += vectorPixels;
  }

  /** Gives out an event for each one in `mask`, from row `fromY` on. */
  #emit(fromY: number, mask: number, on: number, packets: PacketBuilder): void {
    const x = this.#x;
    if (x === none || x >= packets.width) {
      this.#anomalies[x === none ? "before-first-address" : "x-out-of-range"] += bitCount(mask);
      return;
    }
    const rawUs = this.#baseUs + this.#timeHigh * 4096 + this.#timeLow;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const y = fromY + 31 - Math.clz32(rest & -rest);
      const timeUs = this.#clock.stamp(rawUs);
      this.#clock.cutIfDiscontinuous(packets);
      if (y < packets.height) packets.append(timeUs, x, y, on);
      else this.#anomalies["y-out-of-range"]++;
    }
  }
}
