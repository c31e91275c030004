import { PolyphaseError } from "../polyphase-error.ts";
import { isTimeUs, type TimeUs } from "../time.ts";
import { type Cepstra, cepstraLength, createCepstra, windowSamples } from "./cepstra.ts";
import {
  type MfccConvention,
  mfccConventions,
  mfccLength,
  mfccSampleRate,
} from "./mfcc-convention.ts";
import { RegressionDeltas } from "./regression-deltas.ts";

const stepSamples = 160;
const sampleUs = 1e6 / mfccSampleRate;
const preEmphasis = 0.97;
const int16Scale = 32_768;
/** Far above full scale (1) and below int16 range, so that a wrong unit is noticed. */
const floatSampleMax = 16;

/** int16, or floats with full scale at ±1. */
export type AudioSamples = Int16Array | Float32Array | Float64Array;

/** One feature vector; the caller's memory, filled by {@link MfccStream.next}. */
export interface MfccVector {
  /** Centre of the analysis window: start + (160k + 200)/16000 s. */
  timeUs: TimeUs;
  /** When the last sample the vector may need is there. The edge at a stream's end comes earlier. */
  availableUs: TimeUs;
  /** 13 cepstra, 13 Δ, 13 ΔΔ. */
  readonly values: Float64Array;
}

/** A vector for {@link MfccStream.next} to fill. */
export function createMfccVector(): MfccVector {
  return { timeUs: 0, availableUs: 0, values: new Float64Array(mfccLength) };
}

export interface MfccStreamOptions {
  /** Default: centred, `mfcc39/psf-hamming/v1`. */
  readonly convention?: MfccConvention;
  /** Push times further than this from where the sample count says are gaps. Default 20 ms. */
  readonly gapUsMax?: number;
  /** Delay of whatever filtered the samples before, e.g. a resampler; added to `availableUs`. */
  readonly inputDelayUs?: number;
}

/**
 * MFCC vectors of a 16 kHz signal that comes in pieces: push samples, pull vectors. How the signal
 * is cut into pieces does not change a bit of the output, and nothing is allocated per vector.
 *
 * ```ts
 * const mfcc = new MfccStream();
 * const vector = createMfccVector();
 * mfcc.push(samples, startUs);
 * while (mfcc.next(vector)) use(vector);
 * mfcc.flush();
 * while (mfcc.next(vector)) use(vector);
 * ```
 *
 * A run is a stretch of signal without gaps. At its end the last window is padded with zeros and
 * the deltas repeat their last frame, so that a whole signal gives what python_speech_features gives
 * for it, with as many frames. Nothing is carried across a gap.
 */
export class MfccStream {
  readonly convention: MfccConvention;
  readonly #gapUsMax: number;
  readonly #inputDelayUs: number;
  readonly #cepstra: Cepstra = createCepstra();
  readonly #statics = new RegressionDeltas(cepstraLength);
  readonly #deltas = new RegressionDeltas(cepstraLength);
  /** Frames after a vector's own that its deltas look at. */
  readonly #lookahead: 0 | 4;

  /** Pre-emphasised samples of the window being filled. */
  readonly #window = new Float64Array(windowSamples);
  #filled = 0;
  #previousSample = 0;
  #emitted = 0;

  #run: "none" | "open" | "ending" | "ended" = "none";
  #startUs: TimeUs = 0;
  /** Samples of this run taken in so far. */
  #samples = 0;
  /** Where the next run starts, once this one has ended. */
  #nextStartUs: TimeUs | undefined;
  #chunk: AudioSamples = new Int16Array(0);
  #consumed = 0;
  #gaps = 0;

  constructor(options: MfccStreamOptions = {}) {
    this.convention = options.convention ?? mfccConventions.centred;
    this.#lookahead = this.convention === mfccConventions.causal ? 0 : 4;
    this.#gapUsMax = options.gapUsMax ?? 20_000;
    this.#inputDelayUs = options.inputDelayUs ?? 0;
  }

  /** Gaps met so far; each ended one run and began another. */
  get gaps(): number {
    return this.#gaps;
  }

  /**
   * Hands over samples; they are read, not copied, until {@link next} returns false.
   *
   * @param timeUs Event time of the first sample. Left out: where the last push ended (0 at first).
   *   It places a run and finds gaps; inside a run the sample count keeps time.
   * @throws PolyphaseError `BAD_EVENT` for a sample that is not finite or far beyond full scale.
   */
  push(samples: AudioSamples, timeUs?: TimeUs): void {
    this.#requireDrained("push samples");
    if (timeUs !== undefined && !isTimeUs(timeUs)) {
      throw new RangeError(`Cannot push samples: timeUs must be whole microseconds, got ${timeUs}`);
    }
    if (!(samples instanceof Int16Array)) requireFullScaleNearOne(samples);
    this.#chunk = samples;
    this.#consumed = 0;
    const expectedUs = this.#startUs + this.#samples * sampleUs;
    if (this.#run === "none") {
      this.#open(timeUs ?? Math.ceil(expectedUs));
    } else if (timeUs !== undefined && Math.abs(timeUs - expectedUs) > this.#gapUsMax) {
      this.#gaps += 1;
      this.#run = "ending";
      this.#nextStartUs = timeUs;
    }
  }

  /** Ends the run: the vectors still missing can be pulled, and the next push begins a new run. */
  flush(): void {
    this.#requireDrained("flush");
    if (this.#run === "open") this.#run = "ending";
  }

  /** Fills `out` with the next vector; false when more samples are needed (or after the last one). */
  next(out: MfccVector): boolean {
    do {
      const ready = this.#run === "ended" ? 0 : this.#lookahead;
      if (this.#emitted < this.#statics.count - ready) {
        this.#emit(out);
        return true;
      }
    } while (this.#advance());
    return false;
  }

  /** Computes one more frame, or takes the run one step towards its end; false if neither can be. */
  #advance(): boolean {
    switch (this.#run) {
      case "none":
        return false;
      case "ending":
        this.#padLastWindow();
        this.#run = "ended";
        return true;
      case "ended":
        this.#run = "none";
        if (this.#nextStartUs !== undefined) this.#open(this.#nextStartUs);
        else this.#clear();
        return true;
      case "open":
        return this.#fillWindow();
    }
  }

  /** Takes samples of the chunk until a window is full; false if the chunk ends before that. */
  #fillWindow(): boolean {
    const chunk = this.#chunk;
    const scale = chunk instanceof Int16Array ? 1 : int16Scale;
    const end = Math.min(chunk.length, this.#consumed + windowSamples - this.#filled);
    let previous = this.#previousSample;
    for (let i = this.#consumed; i < end; i += 1) {
      const sample = chunk[i]! * scale;
      this.#window[this.#filled] = sample - preEmphasis * previous;
      this.#filled += 1;
      previous = sample;
    }
    this.#previousSample = previous;
    this.#samples += end - this.#consumed;
    this.#consumed = end;
    if (this.#filled < windowSamples) return false;
    this.#appendFrame();
    this.#window.copyWithin(0, stepSamples);
    this.#filled = windowSamples - stepSamples;
    return true;
  }

  /** Samples that no window has covered yet get one, filled up with zeros. */
  #padLastWindow(): void {
    const covered = this.#statics.count === 0 ? 0 : windowSamples - stepSamples;
    if (this.#filled > covered) {
      this.#window.fill(0, this.#filled);
      this.#appendFrame();
    }
    while (this.#deltas.count < this.#statics.count) this.#appendDelta();
  }

  #appendFrame(): void {
    this.#cepstra(this.#statics.append(), this.#window);
    if (this.#deltas.count + this.#lookahead / 2 < this.#statics.count) this.#appendDelta();
  }

  #appendDelta(): void {
    const index = this.#deltas.count;
    this.#statics.slopeInto(this.#deltas.append(), 0, this.#slopeCentre(index));
  }

  /** Frame in the middle of the five that the regression for `index` goes over. */
  #slopeCentre(index: number): number {
    return this.#lookahead === 0 ? index - 2 : index;
  }

  #emit(out: MfccVector): void {
    const k = this.#emitted;
    this.#emitted += 1;
    out.values.set(this.#statics.frameView(k));
    out.values.set(this.#deltas.frameView(k), cepstraLength);
    this.#deltas.slopeInto(out.values, 2 * cepstraLength, this.#slopeCentre(k));
    const firstUs = this.#startUs + k * stepSamples * sampleUs;
    out.timeUs = firstUs + (windowSamples / 2) * sampleUs;
    out.availableUs =
      firstUs + (this.#lookahead * stepSamples + windowSamples) * sampleUs + this.#inputDelayUs;
  }

  #open(startUs: TimeUs): void {
    this.#clear();
    this.#run = "open";
    this.#startUs = startUs;
    this.#samples = 0;
    this.#nextStartUs = undefined;
  }

  #clear(): void {
    this.#statics.clear();
    this.#deltas.clear();
    this.#filled = 0;
    this.#previousSample = 0;
    this.#emitted = 0;
  }

  #requireDrained(verb: string): void {
    const ending = this.#run === "ending" || this.#run === "ended";
    if (!ending && this.#consumed === this.#chunk.length) return;
    throw new Error(`Cannot ${verb}: vectors must first be pulled until next() returns false`);
  }
}

function requireFullScaleNearOne(samples: Float32Array | Float64Array): void {
  for (let i = 0; i < samples.length; i += 1) {
    if (Math.abs(samples[i]!) <= floatSampleMax) continue;
    throw new PolyphaseError(
      "BAD_EVENT",
      `Cannot push samples: samples[${i}] must be finite with full scale at 1, got ${samples[i]}`,
    );
  }
}
