import type { SensorSize } from "../codecs/dvs-decoder.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { CodecEngine } from "../wasm/codec-module.ts";
import type { DvsFilter } from "./dvs-filter.ts";
import { type EventSelector, SelectingFilter } from "./selecting-filter.ts";
import { createSupportSelector } from "./support-selector.ts";

/** Parameters as in libcaer's background activity filter. */
export interface BackgroundActivityOptions {
  /** An event needs support no older than this, µs. */
  readonly supportUs: number;
  /** Neighbours, of eight, that must have had an event within `supportUs`. Default 1. */
  readonly supportMin?: number;
  /** Neighbours count only if their last event had the same polarity. Default false. */
  readonly samePolarity?: boolean;
}

class BackgroundActivity implements EventSelector {
  readonly #options: Required<BackgroundActivityOptions>;
  /** Pixels in a row of the maps: the sensor's and a border on either side. */
  readonly #stride: number;
  /** Time of each pixel's last event, by polarity if that matters; the border has none. */
  readonly #lastUs: readonly [Float64Array, Float64Array];
  readonly #neighbours: Int32Array;

  constructor({ width, height }: SensorSize, options: Required<BackgroundActivityOptions>) {
    this.#options = options;
    this.#stride = width + 2;
    const createMap = (): Float64Array =>
      new Float64Array((width + 2) * (height + 2)).fill(Number.NEGATIVE_INFINITY);
    const map = createMap();
    this.#lastUs = options.samePolarity ? [map, createMap()] : [map, map];
    const row = this.#stride;
    this.#neighbours = Int32Array.of(-row - 1, -row, -row + 1, -1, 1, row - 1, row, row + 1);
  }

  select(packet: DvsPacket, kept: Uint32Array): number {
    const { count, timeUs, x, y, on } = packet;
    const stride = this.#stride;
    const { supportUs, supportMin } = this.#options;
    const [offUs, onUs] = this.#lastUs;
    let n = 0;
    for (let i = 0; i < count; i++) {
      const pixel = (y[i]! + 1) * stride + x[i]! + 1;
      const lastUs = on[i] === 1 ? onUs : offUs;
      const eventUs = timeUs[i]!;
      if (this.#isSupported(lastUs, pixel, eventUs - supportUs, supportMin)) kept[n++] = i;
      lastUs[pixel] = eventUs;
    }
    return n;
  }

  #isSupported(lastUs: Float64Array, pixel: number, sinceUs: number, supportMin: number): boolean {
    const neighbours = this.#neighbours;
    let support = 0;
    for (let k = 0; k < 8; k++) {
      if (lastUs[pixel + neighbours[k]!]! >= sinceUs && ++support === supportMin) return true;
    }
    return false;
  }
}

/**
 * Drops events that no neighbouring pixel supports: sensor noise is alone, edges are not
 * (Delbrück 2008). Every event, dropped or not, supports later ones; a pixel does not support
 * itself.
 *
 * @param engine what does it; the result is the same
 */
export function createBackgroundActivityFilter(
  size: SensorSize,
  options: BackgroundActivityOptions,
  engine: CodecEngine = "wasm",
): DvsFilter {
  const { supportUs, supportMin = 1, samePolarity = false } = options;
  if (!(supportUs > 0) || !Number.isInteger(supportMin) || supportMin < 1 || supportMin > 8) {
    throw new RangeError(
      `Cannot make a background activity filter: supportUs must be above 0 and supportMin 1 … 8, got ${supportUs}, ${supportMin}`,
    );
  }
  const all = { supportUs, supportMin, samePolarity };
  const fast = engine === "wasm" ? createSupportSelector(size, all) : undefined;
  return new SelectingFilter(size, fast ?? new BackgroundActivity(size, all));
}
