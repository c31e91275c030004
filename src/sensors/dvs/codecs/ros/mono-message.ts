import type { AnomalyCounts } from "../stream/anomalies.ts";
import type { EventClock } from "../stream/event-clock.ts";
import type { PacketBuilder } from "../stream/packet-builder.ts";

const recordBytes = 8;
const nsPerUs = 1000;

/**
 * One message of `mono` records (event_camera_codecs): 64-bit, nanoseconds since the time base in
 * bits 0–31, x 32–47, y 48–62, polarity 63.
 */
export class MonoMessage {
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;
  readonly #baseUs: number;
  readonly #baseNs: number;
  readonly #clock: EventClock;
  readonly #anomalies: AnomalyCounts;
  #at = 0;

  /** @param timeBaseNs time that the message's times count from, ns */
  constructor(
    view: DataView,
    isLittleEndian: boolean,
    timeBaseNs: bigint,
    clock: EventClock,
    anomalies: AnomalyCounts,
  ) {
    this.#view = view;
    this.#isLittleEndian = isLittleEndian;
    this.#baseUs = Number(timeBaseNs / BigInt(nsPerUs));
    this.#baseNs = Number(timeBaseNs % BigInt(nsPerUs));
    this.#clock = clock;
    this.#anomalies = anomalies;
  }

  /** @returns true at the end of the message */
  decode(packets: PacketBuilder): boolean {
    const view = this.#view;
    const end = view.byteLength - recordBytes;
    const order = this.#isLittleEndian;
    while (this.#at <= end && !packets.isReady) {
      const stepNs = view.getUint32(this.#at + (order ? 0 : 4), order);
      const address = view.getUint32(this.#at + (order ? 4 : 0), order);
      this.#at += recordBytes;
      const rawUs = this.#baseUs + Math.floor((this.#baseNs + stepNs) / nsPerUs);
      const timeUs = this.#clock.stamp(rawUs);
      this.#clock.cutIfDiscontinuous(packets);
      const x = address & 0xffff;
      const y = (address >>> 16) & 0x7fff;
      if (x >= packets.width) this.#anomalies["x-out-of-range"]++;
      else if (y >= packets.height) this.#anomalies["y-out-of-range"]++;
      else packets.append(timeUs, x, y, address >>> 31);
    }
    if (this.#at <= end) return false;
    if (this.#at !== view.byteLength) this.#anomalies["truncated-tail"]++;
    return true;
  }
}
