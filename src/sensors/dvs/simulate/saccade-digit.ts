import type { Random } from "../../random.ts";
import type { TimeUs } from "../../time.ts";
import type { DvsPacket } from "../dvs-packet.ts";
import type { DvsPixelModel } from "./dvs-simulator.ts";
import { createLogResponse, type LogResponse } from "./log-response.ts";
import { type MotionPath, placeAt } from "./motion-path.ts";
import { blurred, placeImage } from "./place-image.ts";
import { simulateMotion } from "./simulate-motion.ts";

/** Sides of a digit's image and of the sensor that sees it, in pixels. */
export const digitSize = 28;
export const digitSensorSize = 34;

/** The simulated recording's length: three saccades. */
export const saccadesUs: TimeUs = 315_000;

/** Three-tap blur of σ = 0.35 px: exp(-1/(2σ²)) against 1, normalised. */
const blurSide = 0.016_35;
/** N-MNIST's monitor showed the digits dark on bright: ln(1.08 − I). */
export const nmnistResponse: LogResponse = createLogResponse(1.08, -1, 1);

/**
 * Pixel model fitted to N-MNIST, on all 1,000 real recordings of slayerPytorch: count maps per
 * saccade and polarity correlate 0.90-0.94 with the real recording of the same image.
 */
export const nmnistPixelModel: DvsPixelModel = {
  thresholdOn: 0.41,
  thresholdOff: 0.41,
  mismatch: 0.085,
  refractoryUs: 900,
  leakHz: 0.35,
  noiseHz: 0,
  lowPassUs: 1000,
  initialSpread: 1,
};

/** Place of the digit's upper left corner in the sensor, measured on N-MNIST: [ms, x, y]. */
const nmnistKnots = [
  [0, 0.3, 1.0],
  [15, 0.3, 1.15],
  [25, 0.28, 1.6],
  [35, 0.25, 2.6],
  [45, 0.26, 3.9],
  [55, 0.77, 5.3],
  [65, 1.42, 6.2],
  [75, 1.95, 6.6],
  [85, 2.05, 6.7],
  [95, 2.1, 6.7],
  [105, 2.25, 6.65],
  [115, 2.4, 6.55],
  [125, 2.8, 6.3],
  [135, 3.25, 5.7],
  [145, 3.8, 4.7],
  [155, 4.2, 3.45],
  [165, 4.7, 2.3],
  [175, 5.1, 1.75],
  [185, 5.6, 1.5],
  [195, 5.85, 1.45],
  [205, 5.95, 1.4],
  [215, 6.0, 1.4],
  [225, 5.95, 1.4],
  [235, 5.1, 1.4],
  [245, 4.1, 1.4],
  [255, 3.1, 1.4],
  [265, 2.15, 1.38],
  [275, 1.45, 1.33],
  [285, 0.95, 1.25],
  [295, 0.75, 1.3],
  [305, 0.7, 1.35],
  [315, 0.7, 1.4],
] as const;

/** The motion of N-MNIST's three saccades. */
export const nmnistPath: MotionPath = nmnistKnots.map(([ms, x, y]) => ({
  timeUs: ms * 1000,
  x,
  y,
}));

/**
 * Simulates an N-MNIST recording of one digit: the image moves over a 34×34 event camera in three
 * saccades of 105 ms.
 *
 * @param grey 28 × 28 grey values 0 … 255, row by row, bright on dark as in MNIST.
 * @param startUs Event time of the first image; events follow up to {@link saccadesUs} later.
 * @throws RangeError for another size.
 */
export function simulateSaccadeDigit(
  grey: Uint8Array,
  startUs: TimeUs,
  random: Random,
  model: DvsPixelModel = nmnistPixelModel,
): DvsPacket {
  if (grey.length !== digitSize * digitSize) {
    throw new RangeError(
      `Cannot simulate digit: image must have ${digitSize * digitSize} pixels, got ${grey.length}`,
    );
  }
  const pixels = Float64Array.from(grey, (value) => value / 255);
  const digit = blurred({ width: digitSize, height: digitSize, pixels }, blurSide);
  return simulateMotion(
    (brightness, timeUs) => {
      const { x, y } = placeAt(nmnistPath, timeUs - startUs);
      // The blur has added a border of one pixel.
      placeImage(brightness, digitSensorSize, digit, x - 1, y - 1);
    },
    {
      width: digitSensorSize,
      height: digitSensorSize,
      response: nmnistResponse,
      model,
      random,
      startUs,
      endUs: startUs + saccadesUs,
    },
  );
}
