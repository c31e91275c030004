import { crc32 } from "node:zlib";
import type { LogMessage } from "./scan/log-entry.ts";

const remembered = 8192;

/**
 * Finds messages of one channel that are in recordings twice: same sequence number, same sensor time,
 * same bytes. It remembers the last 8,192 or so.
 */
export class DuplicateMessages {
  readonly #sequences = new Float64Array(remembered).fill(-1);
  readonly #times = new BigUint64Array(remembered);
  readonly #crcs = new Uint32Array(remembered);

  /** @returns true if the message has been seen already; otherwise it is from now on */
  hasSeen({ sequence, publishTime, data }: LogMessage): boolean {
    // Markers of one time share a number and differ in their bytes.
    const crc = crc32(data);
    const slot = ((sequence ^ crc) >>> 0) % remembered;
    const isSame =
      this.#sequences[slot] === sequence &&
      this.#times[slot] === publishTime &&
      this.#crcs[slot] === crc;
    this.#sequences[slot] = sequence;
    this.#times[slot] = publishTime;
    this.#crcs[slot] = crc;
    return isSame;
  }
}
