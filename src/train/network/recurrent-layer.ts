import type { Random } from "../../sensors/random.ts";
import { rowIndex, rowLength, type SequenceOp } from "../sequence-op/sequence-op.ts";
import type { ParameterGroup } from "./parameter-group.ts";

/** Standard deviations of the normal distributions that weights are drawn from. */
export interface WeightInitializer {
  readonly input: number;
  readonly recurrent: number;
  readonly peephole: number;
  /** Present: U starts as the identity times this, of every gate, and nothing of U is drawn. */
  readonly identity?: number;
  /** b of i, f, g, o. */
  readonly bias: readonly [i: number, f: number, g: number, o: number];
}

/** Which numbers of the time gates are learned, and how fast beside the rest. */
export interface GateLearning {
  readonly period: boolean;
  readonly shift: boolean;
  readonly openRatio: boolean;
  readonly rateFactor: number;
}

export function initializeWeights(
  op: SequenceOp,
  initializer: WeightInitializer,
  random: Random,
): void {
  const { units, inputs } = op.shape;
  const length = rowLength(op.shape);
  const { rows, peepholes } = op.parameters;
  for (let u = 0; u < units; u++) {
    for (let gate = 0; gate < 4; gate++) {
      for (let m = 0; m < units + inputs; m++) {
        const index = rowIndex(length, u, gate, m);
        if (m >= units) rows[index] = initializer.input * random.normal();
        else rows[index] = recurrentWeight(initializer, random, m === u);
      }
      rows[rowIndex(length, u, gate, units + inputs)] = initializer.bias[gate]!;
    }
  }
  for (let m = 0; m < 3 * units; m++) peepholes[m] = initializer.peephole * random.normal();
}

/** One element of U; of a gate's square those with `isDiagonal` lie on the diagonal. */
export function recurrentWeight(
  { identity, recurrent }: WeightInitializer,
  random: Random,
  isDiagonal: boolean,
): number {
  if (identity === undefined) return recurrent * random.normal();
  return isDiagonal ? identity : 0;
}

/** @param name of the layer in the graph */
export function layerGroups(
  op: SequenceOp,
  name: string,
  learning: GateLearning,
): ParameterGroup[] {
  const { parameters, gradients, shape } = op;
  const oscillates = shape.gate !== "always" && shape.gate !== "own-event";
  const group = (
    key: keyof typeof parameters,
    learns: boolean,
    isGate: boolean,
  ): ParameterGroup => ({
    name: `${name}.${key}`,
    values: parameters[key],
    gradient: gradients[key],
    rateFactor: learns ? (isGate ? learning.rateFactor : 1) : 0,
    decays: key === "rows",
  });
  return [
    group("rows", true, false),
    group("peepholes", true, false),
    group("logPeriod", oscillates && learning.period, true),
    group("shift", oscillates && learning.shift, true),
    group("openLogit", oscillates && learning.openRatio, true),
  ];
}
