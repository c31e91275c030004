import type { StepMode } from "../../../fusion/step-fusion.ts";
import type { LatePolicy } from "../../../streams/fuse/late-policy.ts";
import type { ModelOptions } from "../../model-options.ts";

/** What a worker is started with. */
export interface SegmentWorkerData {
  readonly model: Required<ModelOptions>;
  readonly mode: StepMode;
  /** Of recordings that say nothing of it themselves. */
  readonly late: LatePolicy;
  readonly latenessUs: number;
}

/** One segment of a recorder's log, or a recording without keyframes as a whole. */
export interface SegmentJob {
  /** Among all jobs. */
  readonly index: number;
  /** The files of its recorded run. */
  readonly paths: readonly string[];
  /** From one keyframe, or the beginning, to another, or the end; undefined: the whole file. */
  readonly chunks?: ChunkRange;
}

/** What a worker is told; "end": leave the job under way and end. */
export type SegmentOrder = SegmentJob | "end";

/** Chunks `from` to `to` (excluded). */
export interface ChunkRange {
  readonly from: number;
  readonly to: number;
}

/** A state that is not the recorded one. */
export interface StateMismatch {
  readonly stream: string;
  readonly timeUs: number;
  /** sha256 of the checkpoints, hex. */
  readonly recorded: string;
  readonly replayed: string;
}

/** What came of a segment. */
export interface SegmentResult {
  readonly index: number;
  /** Predictions as NDJSON. */
  readonly lines: string;
  readonly predictions: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly anomalies: Readonly<Record<string, number>>;
  readonly mismatch?: StateMismatch;
  /** Checkpoint of every stream at the end. */
  readonly states: readonly (readonly [string, Uint8Array])[];
}

/** A worker's answer. */
export type SegmentAnswer = SegmentResult | { readonly index: number; readonly failure: string };
