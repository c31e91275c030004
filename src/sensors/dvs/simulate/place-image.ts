/** A grey image, row by row; what the numbers mean is the user's. */
export interface GreyImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Float64Array;
}

/**
 * Writes what a sensor sees of `image` when its upper left corner lies at (x, y), in pixels, between
 * pixels bilinearly; where the image does not reach the sensor sees 0.
 *
 * @param seen Receives sensorWidth · seen.length/sensorWidth pixels, row by row.
 */
export function placeImage(
  seen: Float64Array,
  sensorWidth: number,
  image: GreyImage,
  x: number,
  y: number,
): void {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const shareX = x - left;
  const shareY = y - top;
  const { width, height, pixels } = image;
  const grey = (u: number, v: number): number =>
    u >= 0 && u < width && v >= 0 && v < height ? pixels[v * width + u]! : 0;
  const sensorHeight = seen.length / sensorWidth;
  for (let row = 0; row < sensorHeight; row += 1) {
    const v = row - top;
    for (let column = 0; column < sensorWidth; column += 1) {
      const u = column - left;
      const above = shareX * grey(u - 1, v - 1) + (1 - shareX) * grey(u, v - 1);
      const here = shareX * grey(u - 1, v) + (1 - shareX) * grey(u, v);
      seen[row * sensorWidth + column] = shareY * above + (1 - shareY) * here;
    }
  }
}

/** The image one pixel larger on every side, blurred by the taps `side`, 1 − 2·side, `side` in x and y. */
export function blurred(image: GreyImage, side: number): GreyImage {
  const width = image.width + 2;
  const height = image.height + 2;
  const across = { width, height, pixels: new Float64Array(width * height) };
  const padded = { width, height, pixels: new Float64Array(width * height) };
  placeImage(padded.pixels, width, image, 1, 1);
  convolve(across.pixels, padded.pixels, side, 1);
  convolve(padded.pixels, across.pixels, side, width);
  return padded;
}

/** out[p] = side·in[p − stride] + (1 − 2·side)·in[p] + side·in[p + stride]; the border is zero. */
function convolve(out: Float64Array, pixels: Float64Array, side: number, stride: number): void {
  for (let p = 0; p < pixels.length; p += 1) {
    const before = pixels[p - stride] ?? 0;
    const after = pixels[p + stride] ?? 0;
    out[p] = side * (before + after) + (1 - 2 * side) * pixels[p]!;
  }
}
