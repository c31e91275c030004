import { alignedShift, hasOscillator } from "../../cells/gate.ts";
import type { LayerSpec } from "../../fusion/spec/graph-spec.ts";
import { Random } from "../../sensors/random.ts";
import { initializeGates } from "../network/gate-initializer.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import { initializeWeights, layerGroups } from "../network/recurrent-layer.ts";
import { createSequenceOp, type SequenceOpName } from "../sequence-op/create-sequence-op.ts";
import { openLogitOf, type SequenceOp } from "../sequence-op/sequence-op.ts";
import type { LayerPlan } from "./graph-plan.ts";
import { addHeldGradient, copyHeld, type RowSource } from "./held-rows.ts";

/** One recurrent layer of a graph: the sequence op, and where each of its rows reads from. */
export interface TrainedLayer extends RowSource {
  readonly spec: LayerSpec;
  readonly plan: LayerPlan;
  readonly op: SequenceOp;
  readonly sources: readonly LayerInput[];
  /** Bit s is set if sensor s is below the layer. */
  readonly sensors: number;
  /** c of each sequence when the batch began [B, H]. */
  readonly carriedC: RowSource["carried"];
  /** What each input of this batch was multiplied with [rows, I]; empty without dropout. */
  readonly inputScale: Float32Array;
}

export interface LayerInput {
  readonly source: RowSource;
  readonly sensors: number;
  /** [rows] row of the source that each row of the reader sees. */
  readonly heldRows: Int32Array;
}

export function createTrainedLayer(
  spec: LayerSpec,
  plan: LayerPlan,
  inputs: readonly { readonly source: RowSource; readonly sensors: number }[],
  make: {
    readonly op: SequenceOpName;
    readonly sequencesMax: number;
    readonly eventsMax: number;
    readonly random: Random;
  },
): TrainedLayer {
  const { sequencesMax, eventsMax } = make;
  const shape = {
    inputs: inputs.reduce((sum, { source }) => sum + source.size, 0),
    units: spec.units,
    gate: spec.gate.mode,
    evaluate: "open" as const,
  };
  const op = createSequenceOp(make.op, shape, {
    sequencesMax,
    eventsMax,
    openUnitsMax: openUnitsMax(spec, plan, eventsMax),
  });
  initializeWeights(op, plan.weights, make.random);
  if (spec.gate.mode === "aligned") {
    const { periodUs, alignUs, openRatio } = spec.gate;
    op.parameters.logPeriod.fill(Math.log(periodUs));
    op.parameters.shift.fill(alignedShift(alignUs, periodUs, openRatio) / periodUs);
    op.parameters.openLogit.fill(openLogitOf(openRatio));
  } else initializeGates(op.parameters, plan.gates, make.random);
  return {
    spec,
    plan,
    op,
    size: spec.units,
    rows: op.batch.h,
    carried: op.batch.stateH.slice(),
    carriedC: op.batch.stateC.slice(),
    gradient: op.batch.hGradient,
    sensors: inputs.reduce((mask, { sensors }) => mask | sensors, 0),
    sources: inputs.map((input) => ({ ...input, heldRows: new Int32Array(eventsMax) })),
    inputScale: new Float32Array(plan.dropout > 0 ? eventsMax * shape.inputs : 0),
  };
}

/** With room for what stratified gates open beyond their mean, or learned ones grow to. */
function openUnitsMax(spec: LayerSpec, plan: LayerPlan, eventsMax: number): number {
  const { gate } = spec;
  const isAll = !hasOscillator(gate.mode) || gate.mode === "aligned" || plan.learn.openRatio;
  const share = isAll ? 1 : Math.min(1, 2 * plan.gates.openRatio);
  return Math.ceil(eventsMax * spec.units * share);
}

/** Parameters of the layer; an aligned gate is set by hand, so nothing of it is learned. */
export function trainedLayerGroups({ op, spec, plan }: TrainedLayer): ParameterGroup[] {
  const isAligned = spec.gate.mode === "aligned";
  const learn = isAligned
    ? { ...plan.learn, period: false, shift: false, openRatio: false }
    : plan.learn;
  return layerGroups(op, spec.name, learn).map((group) => {
    return { ...group, rateFactor: group.rateFactor * plan.rateFactor };
  });
}

/**
 * Computes a layer's rows from those of its sources.
 *
 * @param dropoutSeed of sequence b, or undefined to leave out nothing
 * @returns open units, summed over rows
 */
export function forwardLayer(
  layer: TrainedLayer,
  sequences: number,
  dropoutSeed: ((b: number) => number) | undefined,
): number {
  const { op, sources } = layer;
  const { batch, shape } = op;
  const drops = layer.plan.dropout > 0 && dropoutSeed !== undefined;
  if (!drops) layer.inputScale.fill(1);
  for (let b = 0; b < sequences; b++) {
    const random = drops ? new Random(dropoutSeed(b)) : undefined;
    for (let row = batch.offsets[b]!; row < batch.offsets[b + 1]!; row++) {
      let at = row * shape.inputs;
      for (const { source, heldRows } of sources) {
        copyHeld(batch.x, at, source, heldRows[row]!, b);
        at += source.size;
      }
      if (random !== undefined) dropInputs(layer, row, random);
    }
  }
  batch.stateH.set(layer.carried);
  batch.stateC.set(layer.carriedC);
  return op.forward(sequences);
}

/** Inverted dropout: what stays is scaled up, so that nothing changes at inference. */
function dropInputs(layer: TrainedLayer, row: number, random: Random): void {
  const { op, plan, inputScale } = layer;
  const { inputs } = op.shape;
  for (let m = row * inputs; m < (row + 1) * inputs; m++) {
    inputScale[m] = random.uniform() < plan.dropout ? 0 : 1 / (1 - plan.dropout);
    op.batch.x[m]! *= inputScale[m]!;
  }
}

/**
 * Adds to the layer's gradients.
 *
 * @param passesOn whether those of its sources are wanted too
 */
export function backwardLayer(layer: TrainedLayer, sequences: number, passesOn: boolean): void {
  const { op, sources, inputScale } = layer;
  const { batch, shape } = op;
  op.backward(sequences);
  if (!passesOn) return;
  const rows = batch.offsets[sequences]!;
  if (inputScale.length > 0) {
    for (let m = 0; m < rows * shape.inputs; m++) batch.xGradient[m]! *= inputScale[m]!;
  }
  for (let row = 0; row < rows; row++) {
    let at = row * shape.inputs;
    for (const { source, heldRows } of sources) {
      addHeldGradient(source, heldRows[row]!, batch.xGradient, at, 1);
      at += source.size;
    }
  }
}
