import type { VideoSensorSpec } from "../../fusion/spec/graph-spec.ts";
import type { ErrorCode } from "../../sensors/polyphase-error.ts";

/** What the thread needs to load the network. */
export interface FrameWorkerData {
  readonly spec: VideoSensorSpec;
  readonly model: Uint8Array;
}

/** The thread's first message: its network, or why there is none. */
export type FrameWorkerStart =
  | { readonly name: string; readonly size: number }
  | { readonly code: ErrorCode; readonly error: string };

/** Frames to encode: [N, height, width]. */
export interface FrameJob {
  readonly id: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

export type FrameResult =
  | { readonly id: number; readonly codes: Float32Array<ArrayBuffer> }
  | { readonly id: number; readonly error: string };
