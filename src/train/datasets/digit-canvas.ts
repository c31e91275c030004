import { blurred, type GreyImage } from "../../sensors/dvs/simulate/place-image.ts";
import { digitSize } from "../../sensors/dvs/simulate/saccade-digit.ts";
import type { SaccadeVariation } from "./saccade-variation.ts";

/** The digit lies in the middle of a larger black image, so that no place needs a bounds check. */
export const canvasSide = 80;
/** Where the digit's image begins in the canvas, in both directions. */
export const canvasOrigin: number = (canvasSide - digitSize) / 2;
const blurTap = 0.016_35;

/** The blurred digit through a linear map about its centre, brightness 0 … 1. */
export function drawDigit(
  canvas: Float32Array,
  grey: Uint8Array,
  shape: SaccadeVariation["shape"],
): void {
  const pixels = Float64Array.from(grey, (value) => value / 255);
  const image = blurred({ width: digitSize, height: digitSize, pixels }, blurTap);
  const centre = (canvasSide - 1) / 2;
  const imageCentre = (image.width - 1) / 2;
  const [a, b, c, d] = shape;
  for (let row = 0; row < canvasSide; row++) {
    for (let column = 0; column < canvasSide; column++) {
      const u = column - centre;
      const v = row - centre;
      canvas[row * canvasSide + column] = bilinear(
        image,
        imageCentre + a * u + b * v,
        imageCentre + c * u + d * v,
      );
    }
  }
}

function bilinear({ width, height, pixels }: GreyImage, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  if (column < 0 || row < 0 || column + 1 >= width || row + 1 >= height) return 0;
  const i = row * width + column;
  const above = pixels[i]! + (x - column) * (pixels[i + 1]! - pixels[i]!);
  const below = pixels[i + width]! + (x - column) * (pixels[i + width + 1]! - pixels[i + width]!);
  return Math.min(1, above + (y - row) * (below - above));
}
