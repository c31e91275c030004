import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { SequenceBatch, SequenceLimits, SequenceShape } from "./sequence-op.ts";

/** An empty batch in memory of its own, in the precision that `array` allocates. */
export function createBatch(
  { units, inputs }: Pick<SequenceShape, "units" | "inputs">,
  { sequencesMax, eventsMax }: SequenceLimits,
  array: (length: number) => FloatArray,
): SequenceBatch {
  return {
    offsets: new Int32Array(sequencesMax + 1),
    timeUs: new Float64Array(eventsMax),
    x: array(eventsMax * inputs),
    readFrom: new Int32Array(sequencesMax),
    h: array(eventsMax * units),
    hGradient: array(eventsMax * units),
    xGradient: array(eventsMax * inputs),
    stateH: array(sequencesMax * units),
    stateC: array(sequencesMax * units),
  };
}
