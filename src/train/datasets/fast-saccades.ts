import { digitSensorSize, saccadesUs } from "../../sensors/dvs/simulate/saccade-digit.ts";
import type { Random } from "../../sensors/random.ts";
import { canvasSide, drawDigit } from "./digit-canvas.ts";
import { Gaze, gazeSteps, gazeStepUs } from "./gaze.ts";
import { packEvent } from "./packed-recording.ts";
import type { SaccadeVariation } from "./saccade-variation.ts";

const side = digitSensorSize;
const pixels = side * side;
const tableSteps = 2048;
/** Longer than any real recording; a draw with more events than that is cut. */
const eventsMax = 16_000;
/** Share of the way to the input that the 1 ms low-pass goes in a step. */
const follow = 1 - Math.exp(-1);

/**
 * Saccade recordings for training: the model of `simulateSaccadeDigit`, many times faster (nearest
 * entry of the table, no rounding for equal bits on all engines), every constant drawn anew.
 *
 * Pixels do not see each other, so each is followed through the whole recording on its own.
 */
export class FastSaccades {
  readonly #canvas = new Float32Array(canvasSide * canvasSide);
  readonly #logTable = new Float32Array(tableSteps + 1);
  readonly #thresholdOn = new Float32Array(pixels);
  readonly #thresholdOff = new Float32Array(pixels);
  readonly #gaze = new Gaze();
  /** Of the pixel at hand: log brightness of each step, and what its last event left. */
  readonly #seen = new Float32Array(gazeSteps + 1);
  #reference = 0;
  #readyUs = 0;
  #events = new Uint32Array(eventsMax);
  #count = 0;

  /**
   * The events of one digit, packed, at most `eventsMax`.
   *
   * @param grey 28 × 28 grey values 0 … 255
   */
  simulate(grey: Uint8Array, variation: SaccadeVariation, random: Random): Uint32Array {
    this.#begin(grey, variation, random);
    for (let p = 0; p < pixels; p++) this.#watch(p, 2 * random.uniform() - 1, variation);
    this.#addNoise(variation, random);
    // In order of time, then address, then polarity: as their bits are.
    return this.#events.slice(0, this.#count).sort().slice(0, eventsMax);
  }

  #begin(grey: Uint8Array, variation: SaccadeVariation, random: Random): void {
    this.#count = 0;
    drawDigit(this.#canvas, grey, variation.shape);
    this.#gaze.follow(variation);
    for (let i = 0; i <= tableSteps; i++) {
      this.#logTable[i] = Math.log(1 + variation.floor - i / tableSteps);
    }
    const { thresholdOn, thresholdOff, mismatch } = variation;
    for (let p = 0; p < pixels; p++) {
      this.#thresholdOn[p] = thresholdOn * Math.max(0.1, 1 + mismatch * random.normal());
      this.#thresholdOff[p] = thresholdOff * Math.max(0.1, 1 + mismatch * random.normal());
    }
  }

  /**
   * All events of one pixel.
   *
   * @param start how far its brightness is from its reference at first, in thresholds
   */
  #watch(p: number, start: number, { leakHz, refractoryUs }: SaccadeVariation): void {
    const leak = (leakHz * gazeStepUs) / 1e6;
    const seesDigit = this.#see(Math.floor(p / side) * canvasSide + (p % side));
    if (!seesDigit && isQuiet(start, leak)) return;
    const seen = this.#seen;
    const on = this.#thresholdOn[p]!;
    const off = this.#thresholdOff[p]!;
    let from = seen[0]!;
    let reference = Math.fround(from - start * (start > 0 ? on : off));
    this.#readyUs = -1e9;
    for (let step = 1; step <= gazeSteps; step++) {
      const log = seen[step]!;
      // Where nothing changes nothing is computed: the low-pass is a long chain.
      const to = log === from ? from : from + follow * (log - from);
      const held = reference - leak * on;
      const rise = to - held;
      reference = Math.fround(held);
      if (rise >= on || -rise >= off) {
        this.#reference = reference;
        this.#cross(p, from, to, (step - 1) * gazeStepUs, refractoryUs);
        reference = this.#reference;
      }
      from = Math.fround(to);
    }
  }

  /**
   * Log brightness that a pixel sees, step by step.
   *
   * @returns whether it ever sees anything of the digit
   */
  #see(offset: number): boolean {
    const { runs, runStart, base, weightX, weightY } = this.#gaze;
    const c = this.#canvas;
    const table = this.#logTable;
    const black = table[0]!;
    const seen = this.#seen;
    let seesDigit = false;
    for (let run = 0; run < runs; run++) {
      const until = runStart[run + 1]!;
      const i = base[runStart[run]!]! + offset;
      const first = c[i]!;
      const right = c[i + 1]! - first;
      const lower = c[i + canvasSide]!;
      const lowerRight = c[i + canvasSide + 1]! - lower;
      if (first === 0 && right === 0 && lower === 0 && lowerRight === 0) {
        // Runs are short: a call of `fill` takes longer.
        for (let step = runStart[run]!; step < until; step++) seen[step] = black;
        continue;
      }
      seesDigit = true;
      for (let step = runStart[run]!; step < until; step++) {
        const above = first + weightX[step]! * right;
        const below = lower + weightX[step]! * lowerRight;
        seen[step] = table[((above + weightY[step]! * (below - above)) * tableSteps) | 0]!;
      }
    }
    return seesDigit;
  }

  /** The events of one pixel in one step: mostly one. */
  #cross(p: number, from: number, to: number, timeUs: number, refractoryUs: number): void {
    const thresholdOn = this.#thresholdOn[p]!;
    const thresholdOff = this.#thresholdOff[p]!;
    for (;;) {
      const rise = to - this.#reference;
      const on = rise >= thresholdOn ? 1 : 0;
      if (on === 0 && -rise < thresholdOff) return;
      const goal = this.#reference + (on === 1 ? thresholdOn : -thresholdOff);
      const share = (goal - from) / (to - from);
      const crossUs = share > 0 && share <= 1 ? share * gazeStepUs : 0;
      const atUs = Math.max(crossUs, this.#readyUs - timeUs);
      if (atUs >= gazeStepUs) return;
      this.#reference = Math.fround(goal);
      this.#readyUs = Math.fround(timeUs + atUs + refractoryUs);
      this.#record(timeUs + Math.floor(atUs), p, on);
    }
  }

  #addNoise({ noiseHz, hotPixels, hotHz }: SaccadeVariation, random: Random): void {
    const hot = Array.from({ length: hotPixels }, () => random.below(pixels));
    for (let timeUs = 0; timeUs < saccadesUs; timeUs += gazeStepUs) {
      for (let n = poisson(random, (noiseHz * pixels * gazeStepUs) / 1e6); n > 0; n--) {
        this.#record(timeUs + random.below(gazeStepUs), random.below(pixels), random.below(2));
      }
      for (const pixel of hot) {
        if (random.uniform() < (hotHz * gazeStepUs) / 1e6) {
          this.#record(timeUs + random.below(gazeStepUs), pixel, 1);
        }
      }
    }
  }

  #record(timeUs: number, p: number, on: number): void {
    if (this.#count === this.#events.length) {
      const events = new Uint32Array(2 * this.#count);
      events.set(this.#events);
      this.#events = events;
    }
    this.#events[this.#count] = packEvent(timeUs, p, on);
    this.#count += 1;
  }
}

/** True if a pixel that sees no change gives no event of its own, by a wide margin for rounding. */
function isQuiet(start: number, leak: number): boolean {
  return Math.abs(start) + gazeSteps * leak < 0.98;
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
