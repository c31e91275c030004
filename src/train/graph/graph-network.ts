import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import type { BatchResult } from "../network/sequence-network.ts";
import type { BatchSink, TrainableNetwork, TrainingPass } from "../network/trainable-network.ts";
import { floatsLike, type SequenceOp } from "../sequence-op/sequence-op.ts";
import { GraphBatchWriter } from "./graph-batch.ts";
import type { GraphPlan } from "./graph-plan.ts";
import { planRows, type TrainedParts } from "./plan-rows.ts";
import { readDensity, trainedDensityGroups } from "./trained-density.ts";
import { readHeads, trainedHeadGroups } from "./trained-head.ts";
import {
  backwardLayer,
  forwardLayer,
  type TrainedLayer,
  trainedLayerGroups,
} from "./trained-layer.ts";

/**
 * A graph of recurrent layers over several sensors, forward and backward: branches, merges and heads
 * as in inference, each layer one sequence op over the ticks at which it is evaluated.
 *
 * The caller writes a batch with `beginBatch`; then `trainBatch` adds to the gradients, or
 * `evaluateBatch` only measures. Both count answers, not sequences; accuracy is that of the first
 * head, and the loss the weighted sum over all of them. Where heads predict a sensor, each of its
 * events is an answer.
 */
export class GraphNetwork implements TrainableNetwork {
  readonly plan: GraphPlan;
  readonly parts: TrainedParts;
  readonly groups: readonly ParameterGroup[];
  readonly eventsMax: number;
  readonly layers: readonly SequenceOp[];
  readonly carried: FloatArray;
  readonly stateLength: number;
  /** Events that each density predicts in the batch. */
  #predicted: readonly number[] = [];
  /** Whether each layer must know its gradient, and whether its sources must. */
  readonly #needs: readonly { readonly own: boolean; readonly sources: boolean }[];

  constructor(plan: GraphPlan, parts: TrainedParts) {
    this.plan = plan;
    this.parts = parts;
    this.groups = [
      ...parts.layers.flatMap(trainedLayerGroups),
      ...parts.heads.flatMap(trainedHeadGroups),
      ...parts.densities.flatMap(trainedDensityGroups),
    ];
    this.layers = parts.layers.map(({ op }) => op);
    this.eventsMax = this.layers[0]!.limits.eventsMax;
    const { batch } = parts;
    this.stateLength =
      batch.sensors.reduce((sum, { size }) => sum + size, 0) +
      parts.layers.reduce((sum, { size }) => sum + 2 * size, 0);
    this.carried = floatsLike(this.layers[0]!, plan.limits.sequencesMax * this.stateLength);
    this.#needs = gradientNeeds(plan, parts.layers);
  }

  beginBatch(): BatchSink {
    return new GraphBatchWriter(this.parts.batch);
  }

  trainBatch(sequences: number, pass: TrainingPass = wholePass): BatchResult {
    const { layers } = this.parts;
    const openUnits = this.#forward(sequences, pass);
    for (const { op } of layers) {
      op.batch.hGradient.fill(0, 0, op.batch.offsets[sequences]! * op.shape.units);
    }
    const answers = this.#answers();
    const result = this.#read(openUnits, 1 / Math.max(1, answers));
    for (let i = layers.length - 1; i >= 0; i--) {
      const { own, sources } = this.#needs[i]!;
      if (own && answers > 0) backwardLayer(layers[i]!, sequences, sources);
    }
    this.#carry(sequences);
    return result;
  }

  evaluateBatch(
    sequences: number,
    { continues }: Pick<TrainingPass, "continues"> = wholePass,
  ): BatchResult {
    const openUnits = this.#forward(sequences, { continues, dropoutSeed: undefined });
    const result = this.#read(openUnits, 0);
    this.#carry(sequences);
    return result;
  }

  #forward(sequences: number, { continues, dropoutSeed }: TrainingPass): number {
    const { layers } = this.parts;
    this.#predicted = planRows(this.parts);
    if (!continues) this.carried.fill(0);
    this.#eachCarried(sequences, (values, index, at, size) => {
      for (let d = 0; d < size; d++) values[index + d] = this.carried[at + d]!;
    });
    let openUnits = 0;
    layers.forEach((layer, i) => {
      layer.op.batch.readFrom.set(layer.op.batch.offsets.subarray(0, sequences));
      // Layers draw from streams of their own.
      const seedOf = dropoutSeed && ((b: number): number => dropoutSeed(b) * layers.length + i);
      openUnits += forwardLayer(layer, sequences, seedOf);
    });
    return openUnits;
  }

  #answers(): number {
    const predicted = this.#predicted.reduce((sum, count) => sum + count, 0);
    return this.parts.heads.length > 0 ? this.parts.batch.readings : predicted;
  }

  #read(openUnits: number, scale: number): BatchResult {
    const { batch, heads, layers, densities } = this.parts;
    const surprise = densities.reduce((sum, density, i) => {
      return sum + readDensity(density, this.#predicted[i]!, scale);
    }, 0);
    const results = heads.map((head, i) => readHeads(head, batch, i === 0, scale));
    const unitEvents = layers.reduce((sum, { op }) => {
      return sum + op.batch.offsets[batch.sequences]! * op.shape.units;
    }, 0);
    return {
      sequences: this.#answers(),
      loss: results.reduce((sum, { loss }) => sum + loss, surprise),
      // Of a density, as of a regression, nothing is right or wrong.
      correct: results[0]?.correct ?? this.#answers(),
      openUnits,
      unitEvents,
    };
  }

  /** Writes down where the sequences ended. */
  #carry(sequences: number): void {
    const { batch, layers } = this.parts;
    for (const layer of layers) {
      layer.carried.set(layer.op.batch.stateH);
      layer.carriedC.set(layer.op.batch.stateC);
    }
    const rows = batch.sensors.map(() => 0);
    for (let b = 0; b < sequences; b++) {
      for (let n = batch.offsets[b]!; n < batch.offsets[b + 1]!; n++) {
        const { size, rows: values, carried } = batch.sensors[batch.sensor[n]!]!;
        const from = rows[batch.sensor[n]!]!++ * size;
        for (let d = 0; d < size; d++) carried[b * size + d] = values[from + d]!;
      }
    }
    this.#eachCarried(sequences, (values, index, at, size) => {
      for (let d = 0; d < size; d++) this.carried[at + d] = values[index + d]!;
    });
  }

  /** Visits what each sequence holds: `size` values from `index` on, and their place in `carried`. */
  #eachCarried(
    sequences: number,
    visit: (values: FloatArray, index: number, at: number, size: number) => void,
  ): void {
    const { batch, layers } = this.parts;
    const held = [
      ...batch.sensors.map(({ carried, size }) => ({ values: carried, size })),
      ...layers.flatMap(({ carried, carriedC, size }) => [
        { values: carried, size },
        { values: carriedC, size },
      ]),
    ];
    let at = 0;
    for (let b = 0; b < sequences; b++) {
      for (const { values, size } of held) {
        visit(values, b * size, at, size);
        at += size;
      }
    }
  }
}

const wholePass: TrainingPass = { continues: false, dropoutSeed: undefined };

/** A frozen layer is walked back through only for the sake of learned ones below it. */
function gradientNeeds(
  plan: GraphPlan,
  layers: readonly TrainedLayer[],
): { readonly own: boolean; readonly sources: boolean }[] {
  const needs: { own: boolean; sources: boolean }[] = [];
  for (const {
    sources,
    plan: { rateFactor },
  } of layers) {
    const below = layers.filter((layer) => sources.some(({ source }) => source === layer));
    const passesOn =
      plan.errors === "graph" && below.some((layer) => needs[layers.indexOf(layer)]!.own);
    needs.push({ own: rateFactor > 0 || passesOn, sources: passesOn });
  }
  return needs;
}
