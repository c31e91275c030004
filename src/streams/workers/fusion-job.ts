import type { WasmKernelShare } from "../../cells/kernels/wasm-kernel.ts";
import type { Prediction } from "../../fusion/prediction.ts";
import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import type { Weights } from "../../fusion/tensor.ts";
import type { MergedItem } from "../merge/merged-item.ts";

/** What a thread of FusionWorkerPool begins with: a model, its numbers in shared memory. */
export interface FusionWorkerData {
  readonly share: WasmKernelShare;
  readonly spec: GraphSpec;
  /** On a SharedArrayBuffer. */
  readonly weights: Weights;
  readonly hash: string;
  /** Address of each layer's packed weights in the kernel's memory. */
  readonly layers: readonly number[];
}

/**
 * - `apply`: merged items of the stream, in order.
 * - `checkpoint`: the stream's state as bytes.
 * - `end`: its session is over, and its memory free for another stream.
 */
export type FusionJob =
  | { readonly kind: "apply"; readonly stream: string; readonly items: readonly MergedItem[] }
  | { readonly kind: "checkpoint" | "end"; readonly stream: string };

export interface FusionResult {
  readonly predictions: readonly Prediction[];
  /** Events and markers that took effect. */
  readonly events: number;
  /** Of a `checkpoint`. */
  readonly checkpoint?: Uint8Array;
}
