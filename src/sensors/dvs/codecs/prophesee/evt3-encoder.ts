import type { DvsPacket } from "../../dvs-packet.ts";
import type { SensorSize } from "../dvs-decoder.ts";
import type { DvsEncoder } from "../dvs-encoder.ts";
import { ByteWriter } from "../stream/byte-writer.ts";
import { encodeRawHeader } from "./evt-header.ts";
import { timeHighSteps } from "./time-high-steps.ts";

const wordBytes = 2;
const timeHighUs = 4096;
const typeY = 0x0;
const typeX = 0x2;
const typeBaseX = 0x3;
const typeVector12 = 0x4;
const typeTimeLow = 0x6;
const typeTimeHigh = 0x8;
const vectorPixels = 12;
/** From this many events on, a base and a vector are no longer than single words. */
const vectorEventsMin = 3;
const none = -1;

class Evt3Encoder implements DvsEncoder {
  readonly #writer = new ByteWriter();
  readonly #size: SensorSize;
  /** Time of the last TIME_HIGH written. */
  #highUs = Number.NEGATIVE_INFINITY;
  #low = none;
  #row = none;

  constructor(size: SensorSize) {
    this.#size = size;
  }

  header(): Uint8Array {
    return encodeRawHeader(3, this.#size);
  }

  encode(packet: DvsPacket): Uint8Array {
    // Each packet's words begin with time and row, so that they can be decoded by themselves.
    this.#low = none;
    this.#row = none;
    if (packet.count > 0) this.#repeatTimeHigh(packet.timeUs[0]!);
    let i = 0;
    while (i < packet.count) {
      this.#writeTime(packet.timeUs[i]!);
      this.#writeRow(packet.y[i]!);
      const events = vectorLength(packet, i);
      if (events >= vectorEventsMin) this.#writeVector(packet, i, events);
      else this.#write(typeX, (packet.on[i]! << 11) | packet.x[i]!);
      i += events >= vectorEventsMin ? events : 1;
    }
    return this.#writer.take();
  }

  #repeatTimeHigh(timeUs: number): void {
    if (timeUs - this.#highUs < timeHighUs) this.#writeTimeHigh(this.#highUs);
  }

  #writeTime(timeUs: number): void {
    if (timeUs - this.#highUs >= timeHighUs || timeUs < this.#highUs) {
      for (const stepUs of timeHighSteps(this.#highUs, timeUs, timeHighUs)) {
        this.#writeTimeHigh(stepUs);
      }
      this.#low = none;
    }
    const low = timeUs - this.#highUs;
    if (low === this.#low) return;
    this.#low = low;
    this.#write(typeTimeLow, low);
  }

  #writeTimeHigh(highUs: number): void {
    this.#highUs = highUs;
    this.#write(typeTimeHigh, (highUs / timeHighUs) % 4096);
  }

  #writeRow(y: number): void {
    if (y === this.#row) return;
    this.#row = y;
    this.#write(typeY, y);
  }

  #writeVector(packet: DvsPacket, from: number, events: number): void {
    const baseX = packet.x[from]!;
    let mask = 0;
    for (let i = from; i < from + events; i++) mask |= 1 << (packet.x[i]! - baseX);
    this.#write(typeBaseX, (packet.on[from]! << 11) | baseX);
    this.#write(typeVector12, mask);
  }

  #write(type: number, payload: number): void {
    const writer = this.#writer;
    writer.reserve(wordBytes);
    writer.view.setUint16(writer.length, (type << 12) | payload, true);
    writer.length += wordBytes;
  }
}

/** Events from `from` on of one time, row and polarity, in ascending columns within one vector. */
function vectorLength(packet: DvsPacket, from: number): number {
  const { timeUs, x, y, on } = packet;
  let i = from + 1;
  while (
    i < packet.count &&
    timeUs[i] === timeUs[from] &&
    y[i] === y[from] &&
    on[i] === on[from] &&
    x[i]! > x[i - 1]! &&
    x[i]! - x[from]! < vectorPixels
  ) {
    i++;
  }
  return i - from;
}

/**
 * Encodes EVT 3.0 RAW files: x, y below 2048. Times are kept modulo 2^24 µs (16.8 s).
 *
 * The words of each packet begin with TIME_HIGH, TIME_LOW and ADDR_Y and can be sent alone.
 */
export function createEvt3Encoder(size: SensorSize): DvsEncoder {
  return new Evt3Encoder(size);
}
