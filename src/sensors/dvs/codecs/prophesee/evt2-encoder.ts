import type { DvsPacket } from "../../dvs-packet.ts";
import type { SensorSize } from "../dvs-decoder.ts";
import type { DvsEncoder } from "../dvs-encoder.ts";
import { ByteWriter } from "../stream/byte-writer.ts";
import { encodeRawHeader } from "./evt-header.ts";
import { timeHighSteps } from "./time-high-steps.ts";

const wordBytes = 4;
const timeHighUs = 64;
const typeTimeHigh = 0x8;

class Evt2Encoder implements DvsEncoder {
  readonly #writer = new ByteWriter();
  readonly #size: SensorSize;
  /** Time of the last TIME_HIGH written. */
  #highUs = Number.NEGATIVE_INFINITY;

  constructor(size: SensorSize) {
    this.#size = size;
  }

  header(): Uint8Array {
    return encodeRawHeader(2, this.#size);
  }

  encode(packet: DvsPacket): Uint8Array {
    for (let i = 0; i < packet.count; i++) {
      const timeUs = packet.timeUs[i]!;
      if (timeUs - this.#highUs >= timeHighUs || timeUs < this.#highUs) this.#writeTime(timeUs);
      const low = timeUs - this.#highUs;
      const address = (packet.x[i]! << 11) | packet.y[i]!;
      this.#write((packet.on[i]! << 28) | (low << 22) | address);
    }
    return this.#writer.take();
  }

  #writeTime(timeUs: number): void {
    for (const stepUs of timeHighSteps(this.#highUs, timeUs, timeHighUs)) {
      this.#write((typeTimeHigh << 28) | ((stepUs / timeHighUs) % 2 ** 28));
      this.#highUs = stepUs;
    }
  }

  #write(word: number): void {
    const writer = this.#writer;
    writer.reserve(wordBytes);
    writer.view.setInt32(writer.length, word, true);
    writer.length += wordBytes;
  }
}

/** Encodes EVT 2.0 RAW files: x, y below 2048. Times are kept modulo 2^34 µs. */
export function createEvt2Encoder(size: SensorSize): DvsEncoder {
  return new Evt2Encoder(size);
}
