/** How a pixel lies in memory: its bytes, and where red, green and blue are among them. */
interface PixelLayout {
  readonly bytes: number;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** An encoding whose pixels can be made grey; the names are those of ROS and Foxglove. */
export type PixelEncoding = "mono8" | "8UC1" | "rgb8" | "bgr8" | "rgba8" | "bgra8";

const layouts: Readonly<Record<PixelEncoding, PixelLayout>> = {
  mono8: { bytes: 1, red: 0, green: 0, blue: 0 },
  "8UC1": { bytes: 1, red: 0, green: 0, blue: 0 },
  rgb8: { bytes: 3, red: 0, green: 1, blue: 2 },
  bgr8: { bytes: 3, red: 2, green: 1, blue: 0 },
  rgba8: { bytes: 4, red: 0, green: 1, blue: 2 },
  bgra8: { bytes: 4, red: 2, green: 1, blue: 0 },
};

/** All of them, for messages. */
export const pixelEncodings: readonly string[] = Object.keys(layouts);

/** Whether `name` is an encoding that can be made grey. */
export function isPixelEncoding(name: string): name is PixelEncoding {
  return Object.hasOwn(layouts, name);
}

/** Bytes of one pixel. */
export function bytesPerPixel(encoding: PixelEncoding): number {
  return layouts[encoding].bytes;
}

/**
 * Writes out[p] = luma of pixel p = (77·R + 150·G + 29·B + 128) >> 8 (ITU-R BT.601 in whole
 * numbers, so that every machine gives the same bits); grey stays as it is, opacity is ignored.
 *
 * @param data out.length pixels without padding.
 */
export function lumaInto(out: Uint8Array, data: Uint8Array, encoding: PixelEncoding): void {
  const { bytes, red, green, blue } = layouts[encoding];
  if (data.length !== out.length * bytes) {
    throw new RangeError(
      `Cannot make ${encoding} grey: data must have ${out.length * bytes} bytes, got ${data.length}`,
    );
  }
  if (bytes === 1) {
    // The three weights add up to 256.
    out.set(data);
    return;
  }
  for (let p = 0, at = 0; p < out.length; p += 1, at += bytes) {
    out[p] = (77 * data[at + red]! + 150 * data[at + green]! + 29 * data[at + blue]! + 128) >> 8;
  }
}
