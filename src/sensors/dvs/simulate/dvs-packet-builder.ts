import type { TimeUs } from "../../time.ts";
import { createDvsPacket, type DvsPacket, dvsPacketView } from "../dvs-packet.ts";

/** Collects events of one camera, in time order, when nobody knows beforehand how many come. */
export class DvsPacketBuilder {
  #packet: DvsPacket;
  #count = 0;

  constructor(width: number, height: number) {
    this.#packet = createDvsPacket(width, height, 1024);
  }

  get count(): number {
    return this.#count;
  }

  append(timeUs: TimeUs, x: number, y: number, on: number): void {
    if (this.#count === this.#packet.count) this.#grow();
    const i = this.#count;
    this.#packet.timeUs[i] = timeUs;
    this.#packet.x[i] = x;
    this.#packet.y[i] = y;
    this.#packet.on[i] = on;
    this.#count += 1;
  }

  /** All events so far, as a view that later appends may leave behind. */
  packetView(): DvsPacket {
    return dvsPacketView(this.#packet, 0, this.#count);
  }

  #grow(): void {
    const old = this.#packet;
    this.#packet = createDvsPacket(old.width, old.height, 2 * old.count);
    this.#packet.timeUs.set(old.timeUs);
    this.#packet.x.set(old.x);
    this.#packet.y.set(old.y);
    this.#packet.on.set(old.on);
  }
}
