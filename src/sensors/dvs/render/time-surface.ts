import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";

/**
 * Exponential time surface (Lagorce et al. 2017): per pixel and polarity, exp(−(t − t_last) / τ).
 */
export class TimeSurface {
  readonly size: SensorSize;
  readonly #decayUs: number;
  /** Time of the last event [2, height, width], OFF first. */
  readonly #lastUs: Float64Array;

  /** @param decayUs τ, µs */
  constructor(size: SensorSize, decayUs: number) {
    if (!(decayUs > 0)) {
      throw new RangeError(`Cannot make a time surface: decayUs must be above 0, got ${decayUs}`);
    }
    this.size = size;
    this.#decayUs = decayUs;
    const pixels = 2 * size.width * size.height;
    this.#lastUs = new Float64Array(pixels).fill(Number.NEGATIVE_INFINITY);
  }

  /** Adds events `from` (included) to `to` (excluded) of a packet of the surface's size. */
  add(packet: DvsPacket, from = 0, to: number = packet.count): void {
    const { width, height } = this.size;
    const { timeUs, x, y, on } = packet;
    const lastUs = this.#lastUs;
    for (let i = from; i < to; i++) {
      lastUs[(on[i]! * height + y[i]!) * width + x[i]!] = timeUs[i]!;
    }
  }

  /**
   * Writes the surface at `timeUs` to `output` [2, height, width], OFF first: 1 just after an
   * event, 0 where there was none.
   */
  at(timeUs: number, output: Float32Array): void {
    const lastUs = this.#lastUs;
    if (output.length !== lastUs.length) {
      throw new RangeError(
        `Cannot write a time surface: output must hold ${lastUs.length} numbers, got ${output.length}`,
      );
    }
    for (let i = 0; i < lastUs.length; i++) {
      output[i] = Math.exp((lastUs[i]! - timeUs) / this.#decayUs);
    }
  }
}
