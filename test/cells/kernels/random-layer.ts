import fc from "fast-check";
import { type GateMode, hasOscillator } from "../../../src/cells/gate.ts";
import {
  type CellKind,
  gateCount,
  type LayerParameters,
} from "../../../src/cells/layer-parameters.ts";

/** Uniform numbers in [low, high) from a 32-bit seed (mulberry32), the same on every machine. */
export function uniform(seed: number): (low: number, high: number) => number {
  let state = seed | 0;
  return (low, high) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return low + ((bits ^ (bits >>> 14)) >>> 0) * 2 ** -32 * (high - low);
  };
}

export interface LayerShape {
  readonly cell: CellKind;
  readonly gate: GateMode;
  readonly inputs: number;
  readonly units: number;
  readonly openRatio: number;
  readonly seed: number;
}

/** A layer of the sizes and ranges a trained one has; τ from 2.7 ms to 0.4 s, whole microseconds. */
export function randomLayer(shape: LayerShape): LayerParameters {
  const { cell, gate, inputs, units } = shape;
  const next = uniform(shape.seed);
  const numbers = (length: number, range: number): Float32Array =>
    Float32Array.from({ length }, () => next(-range, range));
  const columns = gateCount(cell) * units;
  const scale = 1.7 / Math.sqrt(inputs + units);
  const oscillators = hasOscillator(gate) ? units : 0;
  const periodUs = Float64Array.from({ length: oscillators }, () =>
    Math.round(1000 * Math.exp(next(1, 6))),
  );
  return {
    cell,
    gate,
    inputs,
    units,
    leak: 0,
    inputWeights: numbers(inputs * columns, scale),
    recurrentWeights: numbers(units * columns, scale),
    bias: numbers(columns, 0.1),
    peepholes: cell === "phased-gru" ? undefined : numbers(3 * units, 0.2),
    recurrentBias: cell === "phased-gru" ? numbers(units, 0.1) : undefined,
    periodUs,
    shiftUs: periodUs.map((period) => Math.floor(next(0, period))),
    openRatio: new Float64Array(oscillators).fill(shape.openRatio),
  };
}

export const anyLayer: fc.Arbitrary<LayerParameters> = fc
  .record({
    cell: fc.constantFrom<CellKind>("phased-lstm", "lstm", "phased-gru"),
    gate: fc.constantFrom<GateMode>("phase", "aligned", "square", "own-event", "always"),
    inputs: fc.integer({ min: 1, max: 13 }),
    units: fc.integer({ min: 1, max: 21 }),
    openRatio: fc.constantFrom(0.05, 0.3, 0.7, 1),
    seed: fc.integer(),
  })
  .map(randomLayer);

/** Event times with ties, steps back and long jumps, µs. */
export const anyTimes: fc.Arbitrary<number[]> = fc
  .array(
    fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: -30_000, max: 0 }),
      fc.constantFrom(3_600_000_000, 2 ** 32, -(2 ** 32)),
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((gaps) => {
    let t = 1_000_000;
    return gaps.map((gap) => {
      t += gap;
      return t;
    });
  });
