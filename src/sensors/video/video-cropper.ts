import type { BoxDetector } from "./box-detector.ts";
import { cropPicture } from "./crop-picture.ts";
import type { GreyPicture } from "./grey-picture.ts";
import type { PictureBox } from "./picture-box.ts";
import { squareAround } from "./square-around.ts";

/** Width and height of the pictures that a graph takes. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Makes the pictures that a graph takes of a camera's. Each is a function of one picture alone, not
 * of those before it (no smoothing, no box that is held): whatever is lost, late or left out by a
 * seek, the same picture gives the same event.
 */
export interface VideoCropper {
  /** How pictures are cut: travels with the events, and must equal the model's where it has one. */
  readonly convention: string;
  /** @returns undefined for a picture that has nothing to show */
  crop(picture: GreyPicture): Promise<GreyPicture | undefined>;
}

/** The convention of pictures of which the same rectangle was taken, in pixels of the camera's. */
export function fixedCropConvention({ x, y, width, height }: PictureBox): string {
  return `crop/fixed-${x},${y},${width},${height}/v1`;
}

/** Takes the same rectangle of every picture. Throws BAD_EVENT for pictures that do not hold it. */
export function fixedCropper(box: PictureBox, size: PictureSize): VideoCropper {
  return {
    convention: fixedCropConvention(box),
    crop: async (picture) => cropPicture(picture, { mode: "fixed", ...box }, size),
  };
}

/**
 * Takes the square around what the detector finds; of a picture in which it finds nothing, nothing.
 *
 * @param margin side of the square, in lengths of the box's longer side
 */
export function detectorCropper(
  detector: BoxDetector,
  margin: number,
  size: PictureSize,
): VideoCropper {
  return {
    convention: `crop/${detector.name}-margin${margin}/v1`,
    crop: async (picture) => {
      const found = await detector.detect(picture);
      if (found === undefined) return undefined;
      const box = squareAround(found, margin, picture.width, picture.height);
      return cropPicture(picture, { mode: "fixed", ...box }, size);
    },
  };
}
