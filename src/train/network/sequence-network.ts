import { isSequenceOp, type RecurrentOp, type SequenceOp } from "../sequence-op/sequence-op.ts";
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
import type { BatchInput, BatchResult, TrainableNetwork } from "./trainable-network.ts";

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
 * The caller writes `layer.batch` (or the embedding's addresses) and `targets`, or has `startBatch` do it; then `trainBatch`
 * adds to the gradients, or `evaluateBatch` only measures.
 */
export class SequenceNetwork implements TrainableNetwork {
  readonly layer: RecurrentOp;
  readonly embedding: AddressEmbedding | undefined;
  readonly readout: Readout;
  readonly loss: LossKind;
  readonly groups: readonly ParameterGroup[];
  readonly phasedLayers: readonly SequenceOp[];
  /** Class or value of each sequence of the batch. */
  readonly targets: Float64Array;
  /** Outputs of each sequence after a pass [B, O]. */
  readonly outputs: Float64Array;
  readonly #pooled: Float64Array;
  readonly #pooledGradient: Float64Array;
  readonly #outputsGradient: Float64Array;

  constructor(parts: SequenceNetworkParts) {
    const { layer, embedding, readout } = parts;
    this.layer = layer;
    this.embedding = embedding;
    this.readout = readout;
    this.loss = parts.loss;
    this.phasedLayers = isSequenceOp(layer) ? [layer] : [];
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
  }

  startBatch(): BatchInput {
    return new BatchWriter(this);
  }

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
      for (let u = 0; u < shape.units; u++)
        pooled[u]! += batch.h[n * shape.units + u]! / (to - from);
    }
    const outputs = this.outputs.subarray(b * readout.outputs, (b + 1) * readout.outputs);
    forwardReadout(outputs, readout, pooled);
    const criterion = this.loss === "cross-entropy" ? crossEntropy : squaredError;
    const result = criterion(this.#outputsGradient, outputs, targets[b]!, scale);
    if (!withGradient) return result;
    backwardReadout(this.#pooledGradient, readout, pooled, this.#outputsGradient);
    for (let n = from; n < to; n++) {
      for (let u = 0; u < shape.units; u++) {
        batch.hGradient[n * shape.units + u] = this.#pooledGradient[u]! / (to - from);
      }
    }
    return result;
  }
}
