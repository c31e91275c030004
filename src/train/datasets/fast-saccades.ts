import { blurred, type GreyImage } from "../../sensors/dvs/simulate/place-image.ts";
import {
  digitSensorSize,
  digitSize,
  saccadesUs,
} from "../../sensors/dvs/simulate/saccade-digit.ts";
import type { Random } from "../../sensors/random.ts";
import { packEvent } from "./packed-recording.ts";
import type { SaccadeVariation } from "./saccade-variation.ts";

const side = digitSensorSize;
const pixels = side * side;
/** The digit lies in the middle of a larger black image, so that no place needs a bounds check. */
const canvasSide = 80;
const canvasOrigin = (canvasSide - digitSize) / 2;
const placeMax = canvasOrigin - 2;
const stepUs = 1000;
const tableSteps = 2048;
const blurTap = 0.016_35;
/** Longer than any real recording; a draw with more events than that is cut. */
const eventsMax = 16_000;
/** Share of the way to the input that the 1 ms low-pass goes in a step. */
const follow = 1 - Math.exp(-1);

/**
 * Saccade recordings for training: the model of `simulateSaccadeDigit`, a few times faster (nearest
 * entry of the table, no rounding for equal bits on all engines), every constant drawn anew.
 */
export class FastSaccades {
  readonly #canvas = new Float32Array(canvasSide * canvasSide);
  readonly #level = new Float32Array(pixels);
  readonly #reference = new Float32Array(pixels);
  readonly #thresholdOn = new Float32Array(pixels);
  readonly #thresholdOff = new Float32Array(pixels);
  readonly #readyUs = new Float32Array(pixels);
  readonly #logTable = new Float32Array(tableSteps + 1);
  /** Events of one step: µs into the step · 4096 + address · 2 + polarity, then sorted. */
  readonly #step: Float64Array = new Float64Array(2 * pixels);
  #stepCount = 0;
  readonly #events = new Uint32Array(eventsMax);
  #count = 0;

  /**
   * The events of one digit, packed, at most `eventsMax`.
   *
   * @param grey 28 × 28 grey values 0 … 255
   */
  simulate(grey: Uint8Array, variation: SaccadeVariation, random: Random): Uint32Array {
    this.#begin(grey, variation, random);
    this.#count = 0;
    const hot = Array.from({ length: variation.hotPixels }, () => random.below(pixels));
    const leak = (variation.leakHz * stepUs) / 1e6;
    for (let timeUs = 0; timeUs < saccadesUs; timeUs += stepUs) {
      this.#stepCount = 0;
      this.#look(variation, timeUs + stepUs, leak, timeUs);
      for (let n = poisson(random, (variation.noiseHz * pixels * stepUs) / 1e6); n > 0; n--) {
        this.#record(random.below(stepUs), random.below(pixels), random.below(2));
      }
      for (const pixel of hot) {
        if (random.uniform() < (variation.hotHz * stepUs) / 1e6) {
          this.#record(random.below(stepUs), pixel, 1);
        }
      }
      this.#flush(timeUs);
    }
    return this.#events.slice(0, this.#count);
  }

  #begin(grey: Uint8Array, variation: SaccadeVariation, random: Random): void {
    drawDigit(this.#canvas, grey, variation.shape);
    for (let i = 0; i <= tableSteps; i++) {
      this.#logTable[i] = Math.log(1 + variation.floor - i / tableSteps);
    }
    const { thresholdOn, thresholdOff, mismatch } = variation;
    for (let p = 0; p < pixels; p++) {
      this.#thresholdOn[p] = thresholdOn * Math.max(0.1, 1 + mismatch * random.normal());
      this.#thresholdOff[p] = thresholdOff * Math.max(0.1, 1 + mismatch * random.normal());
      this.#readyUs[p] = -1e9;
    }
    const at = corner(variation, 0);
    for (let p = 0; p < pixels; p++) {
      const log = this.#logAt(p, at);
      const start = 2 * random.uniform() - 1;
      this.#level[p] = log;
      this.#reference[p] =
        log - start * (start > 0 ? this.#thresholdOn[p]! : this.#thresholdOff[p]!);
    }
  }

  #logAt(p: number, { base, wx, wy }: Corner): number {
    const c = this.#canvas;
    const i = base + Math.floor(p / side) * canvasSide + (p % side);
    const above = c[i]! + wx * (c[i + 1]! - c[i]!);
    const below = c[i + canvasSide]! + wx * (c[i + canvasSide + 1]! - c[i + canvasSide]!);
    return this.#logTable[((above + wy * (below - above)) * tableSteps) | 0]!;
  }

  /** One millisecond of all pixels. */
  #look(variation: SaccadeVariation, untilUs: number, leak: number, timeUs: number): void {
    const { base, wx, wy } = corner(variation, untilUs);
    const c = this.#canvas;
    const table = this.#logTable;
    const level = this.#level;
    const reference = this.#reference;
    const thresholdOn = this.#thresholdOn;
    const thresholdOff = this.#thresholdOff;
    for (let row = 0, p = 0; row < side; row++) {
      let i = base + row * canvasSide;
      for (let column = 0; column < side; column++, p++, i++) {
        const above = c[i]! + wx * (c[i + 1]! - c[i]!);
        const below = c[i + canvasSide]! + wx * (c[i + canvasSide + 1]! - c[i + canvasSide]!);
        const log = table[((above + wy * (below - above)) * tableSteps) | 0]!;
        const from = level[p]!;
        const to = from + follow * (log - from);
        level[p] = to;
        const held = reference[p]! - leak * thresholdOn[p]!;
        reference[p] = held;
        const rise = to - held;
        if (rise >= thresholdOn[p]! || -rise >= thresholdOff[p]!) {
          this.#cross(p, from, to, timeUs, variation.refractoryUs);
        }
      }
    }
  }

  /** The events of one pixel in one step: mostly one. */
  #cross(p: number, from: number, to: number, timeUs: number, refractoryUs: number): void {
    for (;;) {
      const rise = to - this.#reference[p]!;
      const on = rise >= this.#thresholdOn[p]! ? 1 : 0;
      if (on === 0 && -rise < this.#thresholdOff[p]!) return;
      const goal =
        this.#reference[p]! + (on === 1 ? this.#thresholdOn[p]! : -this.#thresholdOff[p]!);
      const share = (goal - from) / (to - from);
      const crossUs = share > 0 && share <= 1 ? share * stepUs : 0;
      const atUs = Math.max(crossUs, this.#readyUs[p]! - timeUs);
      if (atUs >= stepUs) return;
      this.#reference[p] = goal;
      this.#readyUs[p] = timeUs + atUs + refractoryUs;
      this.#record(Math.floor(atUs), p, on);
    }
  }

  #record(offsetUs: number, p: number, on: number): void {
    if (this.#stepCount === this.#step.length) return;
    this.#step[this.#stepCount] = offsetUs * 4096 + 2 * p + on;
    this.#stepCount += 1;
  }

  #flush(timeUs: number): void {
    const step = this.#step.subarray(0, this.#stepCount).sort();
    for (const key of step) {
      if (this.#count === eventsMax) return;
      const place = key % 4096;
      const atUs = timeUs + Math.floor(key / 4096);
      this.#events[this.#count] = packEvent(atUs, place >> 1, place & 1);
      this.#count += 1;
    }
  }
}

interface Corner {
  /** Canvas index seen by the sensor's first pixel, and the weights of its right and lower neighbours. */
  readonly base: number;
  readonly wx: number;
  readonly wy: number;
}

function corner(variation: SaccadeVariation, timeUs: number): Corner {
  const { x, y } = variation.place(timeUs);
  const left = canvasOrigin - Math.max(-placeMax, Math.min(placeMax, x));
  const top = canvasOrigin - Math.max(-placeMax, Math.min(placeMax, y));
  const column = Math.floor(left);
  const row = Math.floor(top);
  return { base: row * canvasSide + column, wx: left - column, wy: top - row };
}

/** The blurred digit through a linear map about its centre, brightness 0 … 1. */
function drawDigit(canvas: Float32Array, grey: Uint8Array, shape: SaccadeVariation["shape"]): void {
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

/** Number of events of a Poisson process of a small mean (Knuth). */
function poisson(random: Random, mean: number): number {
  if (mean === 0) return 0;
  const limit = Math.exp(-mean);
  let count = -1;
  let product = 1;
  do {
    count += 1;
    product *= random.uniform();
  } while (product > limit);
  return count;
}
