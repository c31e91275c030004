import type { Random } from "../../random.ts";
import { isTimeUs, type TimeUs } from "../../time.ts";
import type { DvsPacketBuilder } from "./dvs-packet-builder.ts";

/** The pixel model; see {@link DvsSimulator} for what each number does. */
export interface DvsPixelModel {
  /** Rise of log brightness that makes an ON event. */
  readonly thresholdOn: number;
  /** Fall of log brightness that makes an OFF event. */
  readonly thresholdOff: number;
  /** Standard deviation of the thresholds between pixels, as a share of them. */
  readonly mismatch: number;
  /** Shortest time between two events of a pixel, whole µs. */
  readonly refractoryUs: number;
  /** ON events per second of a pixel that sees nothing change. */
  readonly leakHz: number;
  /** Events of either polarity per second and pixel that have no cause. */
  readonly noiseHz: number;
  /** Time constant of the photoreceptor's first-order low-pass; 0 for none. */
  readonly lowPassUs: number;
  /** Spread of the first reference: uniform within this share of the thresholds around the first image. */
  readonly initialSpread: number;
}

/** Thresholds vary by chance, but never below this share of the nominal one. */
const thresholdShareMin = 0.1;
/** Keeps the sort keys of a step exact: 2^20 · 2^32 < 2^53. */
const stepUsMax = 1_000_000;
/** Rounds the low-pass coefficient, which hides the last bits of an engine's Math.exp. */
const coefficientStep = 2 ** -30;

/**
 * An event camera looking at moving images: the log-intensity threshold model of ESIM and v2e.
 *
 * Every pixel keeps a low-passed log brightness L and a reference R. Between two images L is taken
 * to change linearly; when L − R reaches θ_on there is an ON event and R rises by θ_on, when R − L
 * reaches θ_off an OFF event and R falls by θ_off. An event that falls into the refractory period
 * waits for its end (R is not reset, nothing seen meanwhile is lost), or never comes if L has turned
 * back by then. A leak lowers R by θ_on·leakHz per second. Thresholds differ between pixels by
 * normal mismatch.
 *
 * Deterministic: equal options, images and random seed give equal bits. Events come in time order,
 * at equal times by pixel, row by row.
 */
export class DvsSimulator {
  readonly #width: number;
  readonly #model: DvsPixelModel;
  readonly #random: Random;
  readonly #thresholdOn: Float64Array;
  readonly #thresholdOff: Float64Array;
  readonly #level: Float64Array;
  readonly #reference: Float64Array;
  readonly #readyUs: Float64Array;
  /** Time order of a step's events: µs into the step · 2^32 + number of the event. */
  #order = new Float64Array(1024);
  #places = new Uint32Array(1024);
  #pending = 0;
  #timeUs: TimeUs;

  /** @param first Log brightness, row by row, at `timeUs`. */
  constructor(
    size: { readonly width: number; readonly height: number },
    model: DvsPixelModel,
    random: Random,
    first: Float64Array,
    timeUs: TimeUs,
  ) {
    const pixels = size.width * size.height;
    requireModel(model);
    requireImage(first, pixels);
    this.#width = size.width;
    this.#model = model;
    this.#random = random;
    this.#timeUs = timeUs;
    const drawShare = (): number =>
      Math.max(thresholdShareMin, 1 + model.mismatch * random.normal());
    this.#thresholdOn = new Float64Array(pixels).map(() => model.thresholdOn * drawShare());
    this.#thresholdOff = new Float64Array(pixels).map(() => model.thresholdOff * drawShare());
    this.#level = first.slice();
    this.#reference = first.map((level, p) => {
      const place = model.initialSpread * (2 * random.uniform() - 1);
      return level - place * (place > 0 ? this.#thresholdOn[p]! : this.#thresholdOff[p]!);
    });
    this.#readyUs = new Float64Array(pixels).fill(Number.NEGATIVE_INFINITY);
  }

  /**
   * Goes on to the next image and appends the events after the last one and up to `timeUs`.
   *
   * @param image Log brightness at `timeUs`. Steps should be short against the motion: 1 ms suits
   *   saccades.
   * @throws RangeError for a time that is not after the last one, or by more than a second.
   */
  step(out: DvsPacketBuilder, image: Float64Array, timeUs: TimeUs): void {
    requireImage(image, this.#level.length);
    const stepUs = timeUs - this.#timeUs;
    if (!(isTimeUs(timeUs) && stepUs > 0 && stepUs <= stepUsMax)) {
      throw new RangeError(
        `Cannot simulate step: timeUs must be 1 … ${stepUsMax} whole µs after ${this.#timeUs}, got ${timeUs}`,
      );
    }
    const { lowPassUs, leakHz, noiseHz } = this.#model;
    const follow = lowPassUs > 0 ? roundCoefficient(1 - Math.exp(-stepUs / lowPassUs)) : 1;
    const leak = (leakHz * stepUs) / 1e6;
    const noise = (noiseHz * stepUs) / 1e6;
    const level = this.#level;
    const reference = this.#reference;
    const thresholdOn = this.#thresholdOn;
    const thresholdOff = this.#thresholdOff;
    for (let p = 0; p < level.length; p += 1) {
      const from = level[p]!;
      const to = from + follow * (image[p]! - from);
      level[p] = to;
      reference[p]! -= leak * thresholdOn[p]!;
      const rise = to - reference[p]!;
      if (rise >= thresholdOn[p]! || -rise >= thresholdOff[p]!) {
        this.#crossings(p, from, to, stepUs);
      }
      if (noise > 0 && this.#random.uniform() < noise) this.#noiseEvent(p, stepUs);
    }
    this.#appendInOrder(out);
    this.#timeUs = timeUs;
  }

  /** Finds the events of pixel p while its level goes from `from` to `to`. */
  #crossings(p: number, from: number, to: number, stepUs: number): void {
    const thresholdOn = this.#thresholdOn[p]!;
    const thresholdOff = this.#thresholdOff[p]!;
    for (;;) {
      const reference = this.#reference[p]!;
      const on = to - reference >= thresholdOn ? 1 : 0;
      if (on === 0 && reference - to < thresholdOff) return;
      const goal = on === 1 ? reference + thresholdOn : reference - thresholdOff;
      // A crossing that happened before this step (refractory, leak) is due at once.
      const share = (goal - from) / (to - from);
      const offsetUs = share > 0 && share <= 1 ? Math.max(1, Math.ceil(share * stepUs)) : 1;
      const atUs = Math.max(offsetUs, this.#readyUs[p]! - this.#timeUs);
      if (atUs > stepUs) return;
      this.#reference[p] = goal;
      this.#record(p, atUs, on);
    }
  }

  #noiseEvent(p: number, stepUs: number): void {
    const atUs = 1 + this.#random.below(stepUs);
    const on = this.#random.below(2);
    if (this.#timeUs + atUs >= this.#readyUs[p]!) this.#record(p, atUs, on);
  }

  #record(p: number, atUs: number, on: number): void {
    if (this.#pending === this.#order.length) this.#grow();
    this.#order[this.#pending] = atUs * 2 ** 32 + this.#pending;
    this.#places[this.#pending] = 2 * p + on;
    this.#pending += 1;
    this.#readyUs[p] = this.#timeUs + atUs + this.#model.refractoryUs;
  }

  #grow(): void {
    const order = new Float64Array(2 * this.#order.length);
    const places = new Uint32Array(2 * this.#places.length);
    order.set(this.#order);
    places.set(this.#places);
    this.#order = order;
    this.#places = places;
  }

  #appendInOrder(out: DvsPacketBuilder): void {
    const sorted = this.#order.subarray(0, this.#pending).sort();
    for (const key of sorted) {
      const place = this.#places[key % 2 ** 32]!;
      const p = place >> 1;
      const atUs = Math.floor(key / 2 ** 32);
      out.append(this.#timeUs + atUs, p % this.#width, Math.floor(p / this.#width), place & 1);
    }
    this.#pending = 0;
  }
}

function roundCoefficient(value: number): number {
  return Math.round(value / coefficientStep) * coefficientStep;
}

function requireModel(model: DvsPixelModel): void {
  for (const [name, value] of Object.entries(model)) {
    const isThreshold = name === "thresholdOn" || name === "thresholdOff";
    if (Number.isFinite(value) && (isThreshold ? value > 0 : value >= 0)) continue;
    throw new RangeError(
      `Cannot simulate event camera: ${name} must be ${isThreshold ? "> 0" : ">= 0"}, got ${value}`,
    );
  }
  if (!Number.isInteger(model.refractoryUs)) {
    throw new RangeError(
      `Cannot simulate event camera: refractoryUs must be whole, got ${model.refractoryUs}`,
    );
  }
}

function requireImage(image: Float64Array, pixels: number): void {
  if (image.length === pixels) return;
  throw new RangeError(
    `Cannot simulate event camera: image must have ${pixels} pixels, got ${image.length}`,
  );
}
