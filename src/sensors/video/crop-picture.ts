import { PolyphaseError } from "../polyphase-error.ts";
import type { GreyPicture } from "./grey-picture.ts";
import type { PictureBox } from "./picture-box.ts";

/** Which part of a camera's picture the graph sees. */
export type VideoCrop =
  /** All of it; it must come in the size the graph expects. */
  | { readonly mode: "precropped" }
  /** The same rectangle of every picture, scaled to the size the graph expects. */
  | ({ readonly mode: "fixed" } & PictureBox);

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The part of `picture` that `crop` asks for, in the size the graph expects. Scaling takes the mean
 * of what lies under each new pixel, by area, rounded half up.
 *
 * @throws PolyphaseError `BAD_EVENT` if the picture is too small for the crop or, precropped, of
 *   another size.
 */
export function cropPicture(picture: GreyPicture, crop: VideoCrop, size: Size): GreyPicture {
  switch (crop.mode) {
    case "precropped":
      if (picture.width === size.width && picture.height === size.height) return picture;
      throw refusal(`size must be ${size.width}x${size.height}, precropped`, picture);
    case "fixed":
      requireFixedCrop(crop);
      if (crop.x + crop.width > picture.width || crop.y + crop.height > picture.height) {
        const corner = `${crop.x + crop.width}x${crop.y + crop.height}`;
        throw refusal(`size must be at least ${corner} for the fixed crop`, picture);
      }
      return scaled(picture, crop, size);
  }
}

function requireFixedCrop({ x, y, width, height }: VideoCrop & { mode: "fixed" }): void {
  const whole = [x, y, width, height].every(Number.isSafeInteger);
  if (whole && x >= 0 && y >= 0 && width > 0 && height > 0) return;
  throw new RangeError(
    `Cannot crop picture: crop must be whole pixels inside it, got ${width}x${height} at ${x}, ${y}`,
  );
}

function scaled(
  picture: GreyPicture,
  crop: VideoCrop & { mode: "fixed" },
  size: Size,
): GreyPicture {
  // Exact in whole numbers: a new pixel covers crop.width × crop.height parts of 1/size.width ×
  // 1/size.height of an old one.
  const columns = overlaps(crop.width, size.width);
  const rows = overlaps(crop.height, size.height);
  const parts = crop.width * crop.height;
  const pixels = new Uint8Array(size.width * size.height);
  for (let v = 0; v < size.height; v += 1) {
    for (let u = 0; u < size.width; u += 1) {
      let sum = 0;
      for (const row of rows[v]!) {
        const start = (crop.y + row.index) * picture.width + crop.x;
        for (const column of columns[u]!) {
          sum += row.parts * column.parts * picture.pixels[start + column.index]!;
        }
      }
      pixels[v * size.width + u] = Math.floor((2 * sum + parts) / (2 * parts));
    }
  }
  return { ...size, pixels };
}

interface Overlap {
  /** Old pixel. */
  readonly index: number;
  /** How much of it, in 1/newLength of a pixel. */
  readonly parts: number;
}

/** For each of `newLength` pixels laid over `oldLength`: the old ones under it. */
function overlaps(oldLength: number, newLength: number): Overlap[][] {
  return Array.from({ length: newLength }, (_, place) => {
    const from = place * oldLength;
    const to = from + oldLength;
    const under: Overlap[] = [];
    for (let index = Math.floor(from / newLength); index * newLength < to; index += 1) {
      const start = Math.max(from, index * newLength);
      const end = Math.min(to, (index + 1) * newLength);
      under.push({ index, parts: end - start });
    }
    return under;
  });
}

function refusal(expected: string, { width, height }: GreyPicture): PolyphaseError {
  return new PolyphaseError(
    "BAD_EVENT",
    `Cannot crop picture: ${expected}, got ${width}x${height}`,
  );
}
