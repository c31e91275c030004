import type { StepMode } from "../../../fusion/step-fusion.ts";
import type { ErrorCode } from "../../../sensors/polyphase-error.ts";
import type { StoredModel } from "../../../state/model-directory.ts";
import type { LatePolicy } from "../../../streams/fuse/late-policy.ts";
import type { RunOptions } from "../../load-model.ts";

/** A model as it was found, and how it is to be run. */
export interface SegmentModel extends RunOptions {
  readonly stored: StoredModel;
}

/** How segments are replayed. */
export interface SegmentOptions {
  readonly mode: StepMode;
  /** Of recordings that say nothing of it themselves. */
  readonly late: LatePolicy;
  readonly latenessUs: number;
}

/** What a worker is started with. */
export interface SegmentWorkerData extends SegmentOptions {
  readonly model: SegmentModel;
}

/** A worker's first message: that it can begin, or why it cannot. */
export type SegmentWorkerStart = "ready" | SegmentFailure;

/** Why a worker cannot do what it is told. */
export interface SegmentFailure {
  readonly code: ErrorCode;
  readonly error: string;
}

/** What replays segments, in this thread or another. */
export interface SegmentRunner {
  replay(job: SegmentJob): Promise<SegmentResult>;
  /** Leaves the job under way and lets go of what is open. */
  close(): Promise<void>;
}

/** Segments in a row of a recorder's log, or a recording without keyframes as a whole. */
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

/** What came of a job. */
export interface SegmentResult {
  readonly index: number;
  /** Predictions as NDJSON, up to the first state that is not the recorded one. */
  readonly lines: Uint8Array<ArrayBuffer>;
  readonly predictions: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly anomalies: Readonly<Record<string, number>>;
  readonly mismatch?: StateMismatch;
  /** Checkpoint of every stream at the end. */
  readonly states: readonly (readonly [string, Uint8Array])[];
}

/** A worker's answer. */
export type SegmentAnswer = SegmentResult | SegmentFailure;
