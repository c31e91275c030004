import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";

/** Counts events per pixel and polarity, until the caller begins a new frame. */
export class CountFrame {
  readonly size: SensorSize;
  /** Counts [2, height, width], OFF first; stop at 65,535. */
  readonly counts: Uint16Array;

  constructor(size: SensorSize) {
    this.size = size;
    this.counts = new Uint16Array(2 * size.width * size.height);
  }

  /** Adds events `from` (included) to `to` (excluded) of a packet of the frame's size. */
  add(packet: DvsPacket, from = 0, to: number = packet.count): void {
    const { width, height } = this.size;
    const { x, y, on } = packet;
    const { counts } = this;
    for (let i = from; i < to; i++) {
      const pixel = (on[i]! * height + y[i]!) * width + x[i]!;
      if (counts[pixel]! < 65_535) counts[pixel]!++;
    }
  }

  /** Sets all counts to zero. */
  clear(): void {
    this.counts.fill(0);
  }

  /**
   * An 8-bit grey picture [height, width]: mid-grey where nothing happened, brighter for each ON
   * and darker for each OFF event, in steps of `contrast`.
   */
  toGrey(contrast = 32): Uint8Array {
    const pixels = this.size.width * this.size.height;
    const grey = new Uint8ClampedArray(pixels);
    for (let i = 0; i < pixels; i++) {
      grey[i] = 128 + contrast * (this.counts[pixels + i]! - this.counts[i]!);
    }
    return new Uint8Array(grey.buffer);
  }
}
