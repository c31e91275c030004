import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { SequenceOp } from "../sequence-op/sequence-op.ts";
import type { ParameterGroup } from "./parameter-group.ts";
import type { BatchResult } from "./sequence-network.ts";
import type { SequenceWriter } from "./sequence-writer.ts";

/** Takes a batch; knows how much of one it has. */
export interface BatchSink extends SequenceWriter {
  /** Sequences written. */
  readonly sequences: number;
}

/** What the trainer needs of a network. */
export interface TrainableNetwork {
  readonly groups: readonly ParameterGroup[];
  /** Most events that a batch may hold. */
  readonly eventsMax: number;
  /** Its layers that the sequence op computes. */
  readonly layers: readonly SequenceOp[];
  /**
   * [B, S] what each sequence of the last batch left behind, and where those of the next begin if it
   * continues them; S is 0 where a network always begins at zero.
   */
  readonly carried: FloatArray;
  /** S */
  readonly stateLength: number;
  /** A writer of the next batch, from its start. */
  beginBatch(): BatchSink;
  /** Forward and backward; adds the gradients of the mean loss over the batch. */
  trainBatch(sequences: number, pass?: TrainingPass): BatchResult;
  evaluateBatch(sequences: number, pass?: Pick<TrainingPass, "continues">): BatchResult;
}

/** How one pass over a batch differs from another over the same. */
export interface TrainingPass {
  /** Whether the sequences go on where those of the last batch ended. */
  readonly continues: boolean;
  /** Seed of what dropout leaves out in sequence b; undefined leaves out nothing. */
  readonly dropoutSeed: ((b: number) => number) | undefined;
}
