import { cropPicture } from "./crop-picture.ts";
import type { GreyPicture } from "./grey-picture.ts";
import type { PictureBox } from "./picture-box.ts";

/**
 * How a whole picture is brought to a size of other proportions: `stretch` fills it, `letterbox` keeps
 * the picture's proportions, has it in the middle and fills what is left with grey.
 */
export type PictureFit = "stretch" | "letterbox";

/** What a letterbox is filled with: the grey that YOLO detectors are trained with. */
export const letterboxGrey = 114;

/** A picture brought to another size. */
export interface FittedPicture {
  readonly picture: GreyPicture;
  /** Where in it the whole of the old one lies. */
  readonly place: PictureBox;
}

/**
 * The whole of `picture` in `size`, scaled as {@link cropPicture} does. In a letterbox the shorter side is
 * rounded to whole pixels; of an odd number of lines that are left, one more lies right or below.
 */
export function fitPicture(
  picture: GreyPicture,
  size: { readonly width: number; readonly height: number },
  fit: PictureFit,
): FittedPicture {
  const { width, height } = picture;
  const place = fit === "stretch" ? { x: 0, y: 0, ...size } : letterboxPlace(picture, size);
  const whole = { mode: "fixed", x: 0, y: 0, width, height } as const;
  const scaled = cropPicture(picture, whole, { width: place.width, height: place.height });
  if (place.width === size.width && place.height === size.height) return { picture: scaled, place };
  const pixels = new Uint8Array(size.width * size.height).fill(letterboxGrey);
  for (let row = 0; row < place.height; row++) {
    const from = row * place.width;
    const to = (place.y + row) * size.width + place.x;
    pixels.set(scaled.pixels.subarray(from, from + place.width), to);
  }
  return { picture: { width: size.width, height: size.height, pixels }, place };
}

function letterboxPlace(
  picture: GreyPicture,
  size: { readonly width: number; readonly height: number },
): PictureBox {
  const isWide = picture.width * size.height >= picture.height * size.width;
  const width = isWide ? size.width : scaledSide(picture.width, size.height, picture.height);
  const height = isWide ? scaledSide(picture.height, size.width, picture.width) : size.height;
  return {
    x: Math.floor((size.width - width) / 2),
    y: Math.floor((size.height - height) / 2),
    width,
    height,
  };
}

function scaledSide(side: number, to: number, from: number): number {
  return Math.max(1, Math.round((side * to) / from));
}
