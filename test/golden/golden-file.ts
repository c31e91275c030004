import { existsSync, readFileSync } from "node:fs";
import type { GateMode } from "../../src/cells/gate.ts";
import type { LayerParameters } from "../../src/cells/layer-parameters.ts";

/** A layer as the golden file writes it: gates i, f, c, o; W [I, 4H], U [H, 4H] row-major. */
export interface GoldenLayer {
  readonly I: number;
  readonly H: number;
  readonly W: readonly number[];
  readonly U: readonly number[];
  readonly b: readonly number[];
  readonly wci: readonly number[];
  readonly wcf: readonly number[];
  readonly wco: readonly number[];
}

type PerUnit = number | readonly number[];

export interface GoldenSequence {
  readonly layer: GoldenLayer | string;
  readonly tau: PerUnit;
  readonly s: PerUnit;
  readonly r_on: PerUnit;
  readonly alpha?: number;
  readonly x: readonly (readonly number[])[];
  readonly steps: readonly {
    readonly t: number;
    readonly k?: readonly number[];
    readonly c: readonly number[];
    readonly h: readonly number[];
  }[];
}

export interface GoldenFusion {
  readonly A: GoldenLayer;
  readonly V: GoldenLayer;
  readonly M1: GoldenLayer;
  readonly M2: GoldenLayer;
  readonly Wo: readonly (readonly number[])[];
  readonly bo: readonly number[];
  readonly tau_m1: PerUnit;
  readonly s_m1: PerUnit;
  readonly tau_m2: PerUnit;
  readonly s_m2: PerUnit;
  readonly r_on: PerUnit;
  readonly events: readonly {
    readonly t_us: number;
    readonly stream: "audio" | "video";
    readonly x: readonly number[];
  }[];
  readonly ticks: readonly {
    readonly t_us: number;
    readonly hA: readonly number[];
    readonly hV: readonly number[];
    readonly kM1: readonly number[];
    readonly hM1: readonly number[];
    readonly kM2: readonly number[];
    readonly hM2: readonly number[];
    readonly probs: readonly number[];
  }[];
}

export interface GoldenTfContrib {
  readonly all_weights: number;
  readonly biases: number;
  readonly r_on: number;
  readonly alpha: number;
  readonly tau: readonly number[];
  readonly s: readonly number[];
  readonly t: readonly number[];
  readonly x: readonly (readonly number[])[];
  readonly c0: number;
  readonly h0: number;
  readonly c: readonly (readonly number[])[];
  readonly h: readonly (readonly number[])[];
  readonly rtol: number;
}

export interface GoldenFile {
  readonly gate?: {
    readonly rows: readonly {
      readonly t: number;
      readonly tau: number;
      readonly s: number;
      readonly r_on: number;
      readonly alpha: number;
      readonly phi: number;
      readonly k: number;
    }[];
  };
  readonly tf_contrib_1x?: GoldenTfContrib;
  readonly fusion?: GoldenFusion;
  readonly [block: string]: unknown;
}

/** `POLYPHASE_GOLDEN`, or the numbers this repository keeps. */
export const goldenPath: string =
  process.env["POLYPHASE_GOLDEN"] ??
  new URL("../../fixtures/golden/phased-lstm.json", import.meta.url).pathname;

export function readGolden(): GoldenFile {
  if (!existsSync(goldenPath)) throw new Error(`Cannot read golden numbers: no file ${goldenPath}`);
  return JSON.parse(readFileSync(goldenPath, "utf8")) as GoldenFile;
}

/** One number for all units, or one each. */
export function perUnit(value: PerUnit, units: number): number[] {
  return typeof value === "number" ? new Array<number>(units).fill(value) : [...value];
}

/** A golden layer as parameters of our kernels. */
export function goldenParameters(
  layer: GoldenLayer,
  gate: GateMode,
  oscillator?: { tau: PerUnit; s: PerUnit; r_on: PerUnit; alpha?: number },
): LayerParameters {
  return {
    cell: "phased-lstm",
    inputs: layer.I,
    units: layer.H,
    gate,
    leak: oscillator?.alpha ?? 0,
    inputWeights: layer.W,
    recurrentWeights: layer.U,
    bias: layer.b,
    peepholes: [...layer.wci, ...layer.wcf, ...layer.wco],
    recurrentBias: undefined,
    periodUs: oscillator ? perUnit(oscillator.tau, layer.H) : [],
    shiftUs: oscillator ? perUnit(oscillator.s, layer.H) : [],
    openRatio: oscillator ? perUnit(oscillator.r_on, layer.H) : [],
  };
}

/** Largest absolute difference of two equally long lists. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
