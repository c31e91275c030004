import type { FloatArray } from "../../cells/kernels/kernel.ts";
import {
  floatsLike,
  isSequenceOp,
  type RecurrentOp,
  type SequenceOp,
} from "../sequence-op/sequence-op.ts";
import {
  type AddressEmbedding,
  backwardEmbedding,
  embeddingGroup,
  embedEvents,
} from "./address-embedding.ts";
import { BatchWriter } from "./batch-writer.ts";
import { crossEntropy, type LossKind, type LossResult, squaredError } from "./loss.ts";
import type { ParameterGroup } from "./parameter-group.ts";
import { backwardReadout, forwardReadout, type Readout, readoutGroups } from "./readout.ts";

/** Sums over the sequences of a batch. */
export interface BatchResult {
  readonly sequences: number;
  readonly loss: number;
  readonly correct: number;
  /** Evaluated units and H · N: their ratio is the open fraction. */
  readonly openUnits: number;
  readonly unitEvents: number;
}

/** Parts of a network of one recurrent layer. */
export interface SequenceNetworkParts {
  readonly layer: RecurrentOp;
  /** Parameters of the layer. */
  readonly layerGroups: readonly ParameterGroup[];
  /** Absent where the caller writes the layer's inputs itself. */
  readonly embedding: AddressEmbedding | undefined;
  readonly readout: Readout;
  readonly loss: LossKind;
}

/**
 * [address embedding →] recurrent layer → mean of h over the events that are read → linear.
 *
 * The caller writes `layer.batch` (or the embedding's addresses) and `targets`; then `trainBatch`
 * adds to the gradients, or `evaluateBatch` only measures.
 */
export class SequenceNetwork {
  readonly layer: RecurrentOp;
  readonly embedding: AddressEmbedding | undefined;
  readonly readout: Readout;
  readonly loss: LossKind;
  readonly groups: readonly ParameterGroup[];
  readonly eventsMax: number;
  /** The one, if it is not a baseline. */
  readonly layers: readonly SequenceOp[];
  /** Every sequence begins at zero. */
  readonly carried: Float64Array = new Float64Array(0);
  readonly stateLength = 0;
  /** Class or value of each sequence of the batch. */
  readonly targets: Float64Array;
  /** Outputs of each sequence after a pass [B, O]. */
  readonly outputs: Float64Array;
  readonly #pooled: Float64Array;
  readonly #pooledGradient: Float64Array;
  readonly #outputsGradient: Float64Array;
  readonly #share: FloatArray;

  constructor(parts: SequenceNetworkParts) {
    const { layer, embedding, readout } = parts;
    this.layer = layer;
    this.layers = isSequenceOp(layer) ? [layer] : [];
    this.eventsMax = layer.limits.eventsMax;
    this.embedding = embedding;
    this.readout = readout;
    this.loss = parts.loss;
    this.groups = [
      ...(embedding === undefined ? [] : [embeddingGroup(embedding)]),
      ...parts.layerGroups,
      ...readoutGroups(readout),
    ];
    this.targets = new Float64Array(layer.limits.sequencesMax);
    this.outputs = new Float64Array(layer.limits.sequencesMax * readout.outputs);
    this.#pooled = new Float64Array(layer.shape.units);
    this.#pooledGradient = new Float64Array(layer.shape.units);
    this.#outputsGradient = new Float64Array(readout.outputs);
    this.#share = floatsLike(layer, layer.shape.units);
  }

  beginBatch(): BatchWriter {
    return new BatchWriter(this);
  }

  /** Forward and backward; gradients are those of the mean loss over the batch. */
  trainBatch(sequences: number): BatchResult {
    const result = this.#run(sequences, true);
    this.layer.backward(sequences);
    if (this.embedding !== undefined) {
      const events = this.layer.batch.offsets[sequences]!;
      backwardEmbedding(this.embedding, this.layer.batch, events);
    }
    return result;
  }

  evaluateBatch(sequences: number): BatchResult {
    return this.#run(sequences, false);
  }

  #run(sequences: number, withGradient: boolean): BatchResult {
    const { layer } = this;
    const { batch } = layer;
    const events = batch.offsets[sequences]!;
    if (this.embedding !== undefined) embedEvents(this.embedding, batch, events);
    batch.stateH.fill(0);
    batch.stateC.fill(0);
    const openUnits = layer.forward(sequences, withGradient);
    let loss = 0;
    let correct = 0;
    for (let b = 0; b < sequences; b++) {
      const result = this.#readSequence(b, 1 / sequences, withGradient);
      loss += result.loss;
      correct += result.correct ? 1 : 0;
    }
    return { sequences, loss, correct, openUnits, unitEvents: events * layer.shape.units };
  }

  #readSequence(b: number, scale: number, withGradient: boolean): LossResult {
    const { readout, targets } = this;
    const { batch, shape } = this.layer;
    const from = batch.readFrom[b]!;
    const to = batch.offsets[b + 1]!;
    const pooled = this.#pooled.fill(0);
    for (let n = from; n < to; n++) {
      for (let u = 0; u < shape.units; u++) pooled[u]! += batch.h[n * shape.units + u]!;
    }
    for (let u = 0; u < shape.units; u++) pooled[u]! /= to - from;
    const outputs = this.outputs.subarray(b * readout.outputs, (b + 1) * readout.outputs);
    forwardReadout(outputs, readout, pooled);
    const criterion = this.loss === "cross-entropy" ? crossEntropy : squaredError;
    const result = criterion(this.#outputsGradient, outputs, targets[b]!, scale);
    if (!withGradient) return result;
    backwardReadout(this.#pooledGradient, readout, pooled, this.#outputsGradient);
    // Of a mean all its events have the same share.
    const share = this.#share;
    for (let u = 0; u < shape.units; u++) share[u] = this.#pooledGradient[u]! / (to - from);
    for (let n = from; n < to; n++) batch.hGradient.set(share, n * shape.units);
    return result;
  }
}
