import type { EventBatch, LayerState } from "../../cells/kernels/kernel.ts";

/** A batch of one stream for one layer. State and batch are views on shared memory: no copies. */
export interface LayerJob {
  /** What WasmKernel.writeLayer() returned. */
  readonly layer: number;
  readonly state: LayerState;
  readonly batch: EventBatch;
  readonly count: number;
}
