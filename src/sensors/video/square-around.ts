import type { DetectedBox } from "./box-detector.ts";
import type { PictureBox } from "./picture-box.ts";

/**
 * The square around the middle of `box` whose side is `margin` times the box's longer one, in whole
 * pixels of a picture of `width` × `height`. Where it would reach out of the picture it is moved in;
 * where it is larger than the picture it is made as large as that allows.
 *
 * @param margin 1 for the box itself; below 1 cuts into it
 */
export function squareAround(
  box: DetectedBox,
  margin: number,
  width: number,
  height: number,
): PictureBox {
  const longer = Math.max(box.right - box.left, box.bottom - box.top);
  const side = clamp(Math.round(margin * longer), 1, Math.min(width, height));
  const corner = (from: number, to: number, length: number): number =>
    clamp(Math.round((from + to - side) / 2), 0, length - side);
  return {
    x: corner(box.left, box.right, width),
    y: corner(box.top, box.bottom, height),
    width: side,
    height: side,
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
