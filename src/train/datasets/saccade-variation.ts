import { placeAt } from "../../sensors/dvs/simulate/motion-path.ts";
import { nmnistPath, nmnistPixelModel } from "../../sensors/dvs/simulate/saccade-digit.ts";
import type { Random } from "../../sensors/random.ts";
import type { TimeUs } from "../../sensors/time.ts";

/** One draw of everything that may differ between cameras, monitors and hands that write. */
export interface SaccadeVariation {
  /** Where the image's upper left corner is at a time, pixels. */
  readonly place: (timeUs: TimeUs) => { readonly x: number; readonly y: number };
  /** Linear map of the image about its centre, from seen to original: [a, b; c, d]. */
  readonly shape: readonly [a: number, b: number, c: number, d: number];
  /** Log brightness is ln(1 + floor − I). */
  readonly floor: number;
  readonly thresholdOn: number;
  readonly thresholdOff: number;
  /** Deviation of the thresholds between pixels, as a share of them. */
  readonly mismatch: number;
  readonly refractoryUs: number;
  readonly leakHz: number;
  readonly noiseHz: number;
  /** Pixels that fire on their own, and how often. */
  readonly hotPixels: number;
  readonly hotHz: number;
}

const saccadeUs = 105_000;
/** Log brightness floor of the calibrated simulator. */
const floorCalibrated = 0.08;
const amplitudeDeviation = 0.12;
const originDeviationPx = 1.2;
const centreDeviationUs = 4_000;
const widthDeviation = 0.08;

/**
 * Domain randomisation around the calibrated simulator of N-MNIST.
 *
 * @param strength 0 for the calibrated values; 0.1 to 0.8 train equally well
 */
export function drawSaccadeVariation(random: Random, strength: number): SaccadeVariation {
  const normal = (deviation: number): number => strength * deviation * random.normal();
  const threshold = nmnistPixelModel.thresholdOn * Math.exp(normal(0.25));
  const polarityRatio = Math.exp(normal(0.15));
  return {
    place: drawPlace(random, strength),
    shape: drawShape(random, strength),
    floor: floorCalibrated * Math.exp(normal(0.4)),
    thresholdOn: threshold * Math.sqrt(polarityRatio),
    thresholdOff: threshold / Math.sqrt(polarityRatio),
    mismatch: (0.05 + 0.2 * strength) * random.uniform(),
    refractoryUs: nmnistPixelModel.refractoryUs * Math.exp(normal(0.5)),
    leakHz: (0.5 + 0.8 * strength) * random.uniform(),
    noiseHz: strength * random.uniform(),
    hotPixels: random.uniform() < 0.5 ? random.below(Math.ceil(5 * strength) + 1) : 0,
    hotHz: 50 + 250 * random.uniform(),
  };
}

/** The calibrated path with another origin and amplitude, each saccade earlier or later, slower or faster. */
function drawPlace(random: Random, strength: number): SaccadeVariation["place"] {
  const normal = (deviation: number): number => strength * deviation * random.normal();
  const amplitude = { x: 1 + normal(amplitudeDeviation), y: 1 + normal(amplitudeDeviation) };
  const origin = { x: normal(originDeviationPx), y: normal(originDeviationPx) };
  const saccades = [0, 1, 2].map((index) => ({
    centreUs: (index + 0.5) * saccadeUs,
    delayUs: normal(centreDeviationUs),
    width: 1 + normal(widthDeviation),
  }));
  return (timeUs) => {
    const saccade = saccades[Math.min(2, Math.floor(timeUs / saccadeUs))]!;
    const fromCentre = timeUs - saccade.centreUs - saccade.delayUs;
    const place = placeAt(nmnistPath, saccade.centreUs + fromCentre / saccade.width);
    return { x: origin.x + amplitude.x * place.x, y: origin.y + amplitude.y * place.y };
  };
}

/** Rotation, scale and shear of the image. */
function drawShape(random: Random, strength: number): SaccadeVariation["shape"] {
  return affineShape(random, {
    rotation: 0.15 * strength,
    scale: 0.08 * strength,
    shear: 0.12 * strength,
  });
}

/** A linear map near the identity, with the given deviations. */
export function affineShape(
  random: Random,
  {
    rotation,
    scale,
    shear,
  }: { readonly rotation: number; readonly scale: number; readonly shear: number },
): readonly [number, number, number, number] {
  const angle = rotation * random.normal();
  const size = Math.exp(scale * random.normal());
  const slant = shear * random.normal();
  const cos = Math.cos(angle) / size;
  const sin = Math.sin(angle) / size;
  return [cos, slant * cos - sin, sin, slant * sin + cos];
}
