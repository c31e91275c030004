import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { BatchSink } from "../network/trainable-network.ts";

/**
 * Pictures of whole recordings for a convolutional network: how often each pixel saw OFF and ON, as
 * in `CountFrame`, divided by their root mean square so that a thinned recording looks alike.
 */
export class FrameBatch implements BatchSink {
  /** [B, height, width, 2], OFF first. */
  readonly pixels: Float32Array;
  /** Class of each recording. */
  readonly targets: Float64Array;
  readonly #sequencesMax: number;
  readonly #pixelsPerFrame: number;
  #sequences = 0;

  constructor({ width, height }: SensorSize, sequencesMax: number) {
    this.#sequencesMax = sequencesMax;
    this.#pixelsPerFrame = 2 * width * height;
    this.pixels = new Float32Array(sequencesMax * this.#pixelsPerFrame);
    this.targets = new Float64Array(sequencesMax);
  }

  get sequences(): number {
    return this.#sequences;
  }

  /** Begins anew. */
  clear(): this {
    this.pixels.fill(0);
    this.#sequences = 0;
    return this;
  }

  hasRoom(): boolean {
    return this.#sequences < this.#sequencesMax;
  }

  event(): void {
    throw notPixels();
  }

  item(): void {
    throw notPixels();
  }

  read(): void {
    throw notPixels();
  }

  endRecording(): void {
    throw notPixels();
  }

  pixel(_timeUs: TimeUs, address: number, on: number): void {
    this.pixels[this.#sequences * this.#pixelsPerFrame + 2 * address + on]! += 1;
  }

  endSequence(target: number): void {
    const start = this.#sequences * this.#pixelsPerFrame;
    const frame = this.pixels.subarray(start, start + this.#pixelsPerFrame);
    const squares = frame.reduce((sum, count) => sum + count * count, 0);
    const scale = squares === 0 ? 0 : Math.sqrt(frame.length / squares);
    for (let m = 0; m < frame.length; m++) frame[m]! *= scale;
    this.targets[this.#sequences] = target;
    this.#sequences += 1;
  }
}

function notPixels(): PolyphaseError {
  return new PolyphaseError("USAGE", "Cannot draw a frame: events must be those of pixels");
}
