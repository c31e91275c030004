import { crossEntropy, type LossKind, squaredError } from "../network/loss.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import {
  backwardReadout,
  forwardReadout,
  type Readout,
  readoutGroups,
} from "../network/readout.ts";
import type { GraphBatch } from "./graph-batch.ts";
import type { HeadPlan } from "./graph-plan.ts";
import { addHeldGradient, carriedRow, copyHeld } from "./held-rows.ts";
import type { LayerInput } from "./trained-layer.ts";

/** A read-out of a graph: one of its heads, or of one layer where errors are local. */
export interface TrainedHead {
  readonly name: string;
  readonly plan: HeadPlan;
  readonly loss: LossKind;
  readonly readout: Readout;
  /** What it reads, tick by tick: a tick is one with news below the head. */
  readonly sources: readonly LayerInput[];
  readonly sensors: number;
  /** First and end of the ticks that each answer is a mean over. */
  readonly readFrom: Int32Array;
  readonly readTo: Int32Array;
  /** Outputs of each answer [readings, O]. */
  readonly outputs: Float64Array;
  readonly pooled: Float64Array;
  readonly pooledGradient: Float64Array;
  readonly outputsGradient: Float64Array;
}

export function trainedHeadGroups({ readout, name, plan }: TrainedHead): ParameterGroup[] {
  return readoutGroups(readout, name).map((group) => ({ ...group, rateFactor: plan.rateFactor }));
}

/** Weighted sums over the answers of a batch. */
export interface HeadResult {
  readonly loss: number;
  readonly correct: number;
}

/**
 * Outputs and losses of all answers of a batch.
 *
 * @param isMain whether an answer is due where nothing below the head spoke too: it is what it held
 * @param scale of the gradients, which are added; 0 for none
 */
export function readHeads(
  head: TrainedHead,
  batch: GraphBatch,
  isMain: boolean,
  scale: number,
): HeadResult {
  const { readout, plan, readFrom, readTo } = head;
  const criterion = head.loss === "cross-entropy" ? crossEntropy : squaredError;
  let loss = 0;
  let correct = 0;
  for (let j = 0; j < batch.readings; j++) {
    if (!isMain && readFrom[j] === readTo[j]) continue;
    pool(head, j, batch.readSequence[j]!);
    const outputs = head.outputs.subarray(j * readout.outputs, (j + 1) * readout.outputs);
    forwardReadout(outputs, readout, head.pooled);
    const result = criterion(
      head.outputsGradient,
      outputs,
      batch.targets[j]!,
      scale * plan.lossWeight,
    );
    loss += plan.lossWeight * result.loss;
    correct += result.correct ? 1 : 0;
    if (scale === 0) continue;
    backwardReadout(head.pooledGradient, readout, head.pooled, head.outputsGradient);
    spread(head, j);
  }
  return { loss, correct };
}

/** Mean of what the sources held over the ticks of answer `j`. */
function pool(head: TrainedHead, j: number, b: number): void {
  const { pooled, sources, readFrom, readTo } = head;
  const row = head.pooledGradient;
  const from = readFrom[j]!;
  const ticks = readTo[j]! - from;
  pooled.fill(0);
  for (let tick = from; tick < from + Math.max(1, ticks); tick++) {
    let at = 0;
    for (const { source, heldRows } of sources) {
      copyHeld(row, at, source, ticks === 0 ? carriedRow : heldRows[tick]!, b);
      at += source.size;
    }
    for (let u = 0; u < pooled.length; u++) pooled[u]! += row[u]! / Math.max(1, ticks);
  }
}

function spread(head: TrainedHead, j: number): void {
  const { sources, readFrom, readTo, pooledGradient } = head;
  const ticks = readTo[j]! - readFrom[j]!;
  for (let tick = readFrom[j]!; tick < readTo[j]!; tick++) {
    let at = 0;
    for (const { source, heldRows } of sources) {
      addHeldGradient(source, heldRows[tick]!, pooledGradient, at, 1 / ticks);
      at += source.size;
    }
  }
}
