import type { LayerParameters } from "../../src/cells/layer-parameters.ts";
import { Random } from "../../src/sensors/random.ts";

export interface Shape {
  readonly inputs: number;
  readonly units: number;
}

/** The audio, video and merge layers of the lip-reading graph, and a small one. */
export const shapes: readonly Shape[] = [
  { inputs: 40, units: 110 },
  { inputs: 39, units: 150 },
  { inputs: 64, units: 110 },
  { inputs: 250, units: 250 },
];

export const shapeName = ({ inputs, units }: Shape): string => `${inputs}x${units}`;

/** So many that the branch predictor cannot learn them. */
export const EVENTS = 4096;

/** Random weights; periods exp(U(1, 6)) ms, shifts U(0, τ). */
export function randomLayer(shape: Shape, openRatio: number, seed = 1): LayerParameters {
  const { inputs, units } = shape;
  const random = new Random(seed);
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const floats = (length: number, range: number): Float32Array =>
    Float32Array.from({ length }, () => between(-range, range));
  const scale = 1.7 / Math.sqrt(inputs + units);
  const periodUs = Float64Array.from({ length: units }, () => 1000 * Math.exp(between(1, 6)));
  return {
    cell: "phased-lstm",
    inputs,
    units,
    gate: "phase",
    leak: 0,
    inputWeights: floats(inputs * 4 * units, scale),
    recurrentWeights: floats(units * 4 * units, scale),
    bias: floats(4 * units, 0.1),
    peepholes: floats(3 * units, 0.2),
    recurrentBias: undefined,
    periodUs,
    shiftUs: periodUs.map((period) => between(0, period)),
    openRatio: new Float64Array(units).fill(openRatio),
  };
}

export interface Events {
  readonly timesUs: Float64Array;
  /** [event][inputs] */
  readonly inputs: Float32Array;
  /** The same, one view per event. */
  readonly rows: readonly Float32Array[];
}

/** Poisson events with the mean gap given, features uniform in (−1, 1). */
export function randomEvents(inputs: number, count: number, gapUs: number, seed = 2): Events {
  const random = new Random(seed);
  const timesUs = new Float64Array(count);
  let t = 0;
  for (let n = 0; n < count; n++) {
    t += Math.round(-Math.log(1 - random.uniform()) * gapUs);
    timesUs[n] = t;
  }
  const values = Float32Array.from({ length: count * inputs }, () => 2 * random.uniform() - 1);
  const rows = Array.from({ length: count }, (_, n) =>
    values.subarray(n * inputs, (n + 1) * inputs),
  );
  return { timesUs, inputs: values, rows };
}
