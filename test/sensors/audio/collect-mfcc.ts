import {
  type AudioSamples,
  createMfccVector,
  type MfccStream,
} from "../../../src/sensors/audio/mfcc-stream.ts";

export interface CollectedVector {
  readonly timeUs: number;
  readonly availableUs: number;
  readonly values: Float64Array;
}

/** Copies every vector that can be pulled now to the end of `vectors`. */
export function pullInto(vectors: CollectedVector[], mfcc: MfccStream): void {
  const vector = createMfccVector();
  while (mfcc.next(vector)) {
    const { timeUs, availableUs, values } = vector;
    vectors.push({ timeUs, availableUs, values: values.slice() });
  }
}

/** All vectors of `signal` cut at `cuts` (ascending sample numbers), and of the end after it. */
export function collectMfcc(
  mfcc: MfccStream,
  signal: AudioSamples,
  startUs = 0,
  cuts: readonly number[] = [],
): CollectedVector[] {
  const vectors: CollectedVector[] = [];
  let from = 0;
  for (const to of [...cuts, signal.length]) {
    mfcc.push(signal.subarray(from, to), from === 0 ? startUs : undefined);
    pullInto(vectors, mfcc);
    from = to;
  }
  mfcc.flush();
  pullInto(vectors, mfcc);
  return vectors;
}
