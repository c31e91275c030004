import type { SequenceOp } from "../sequence-op/sequence-op.ts";
import type { ParameterGroup } from "./parameter-group.ts";
import type { SequenceWriter } from "./sequence-writer.ts";

/** Sums over the sequences of a batch. */
export interface BatchResult {
  readonly sequences: number;
  readonly loss: number;
  readonly correct: number;
  /** Evaluated units and H · N: their ratio is the open fraction. */
  readonly openUnits: number;
  readonly unitEvents: number;
}

/** A batch while it is written. */
export interface BatchInput extends SequenceWriter {
  /** Sequences that have ended. */
  readonly sequences: number;
}

/** What the trainer needs of a network, whatever it is made of. */
export interface TrainableNetwork {
  readonly groups: readonly ParameterGroup[];
  /** Layers with time gates, which may leak or be charged for what they open. */
  readonly phasedLayers: readonly SequenceOp[];
  /** Begins a new batch in the place of the last. */
  startBatch(): BatchInput;
  /** Forward and backward; gradients are those of the mean loss over the batch. */
  trainBatch(sequences: number): BatchResult;
  evaluateBatch(sequences: number): BatchResult;
}
