import type { WasmKernel } from "../../cells/kernels/wasm-kernel.ts";
import type { WasmLayer } from "../../cells/kernels/wasm-layer.ts";
import { createFusionGraph } from "../../fusion/fusion-graph.ts";
import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import type { Tensor, Weights } from "../../fusion/tensor.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { MergedItem } from "../merge/merged-item.ts";
import type { FusionJob, FusionResult, FusionWorkerData } from "./fusion-job.ts";
import { ShardedWorkers } from "./sharded-workers.ts";

export interface FusionWorkerPoolOptions {
  readonly workers: number;
  /** Module that the threads run; the built `fusion-worker.js` if absent. */
  readonly entry?: URL;
}

/** A model as its directory holds it. */
export interface PooledModel {
  readonly spec: GraphSpec;
  readonly weights: Weights;
  readonly hash: string;
}

/**
 * Threads that run one model on many streams: each stream's state lives on one thread, all weights
 * in memory that the threads share. Predictions and states are the bits of one thread.
 *
 * Items are copied to the thread, so hand over many at once: a message costs more than a step. There
 * is no queue with a limit of its own; the promises not yet settled are what is in flight.
 */
export class FusionWorkerPool {
  readonly #workers: ShardedWorkers<FusionJob, FusionResult>;

  /**
   * @param kernel whose memory holds the weights and states
   * @throws {PolyphaseError} BAD_MODEL if the weights are not those of the specification
   */
  constructor(kernel: WasmKernel, model: PooledModel, options: FusionWorkerPoolOptions) {
    const { workers, entry = new URL("./fusion-worker.js", import.meta.url) } = options;
    const { spec, weights, hash } = model;
    const graph = createFusionGraph(spec, weights, kernel);
    const layers = graph.layers.map(({ kernel: layer }) => (layer as WasmLayer).sharedAddress);
    const data: FusionWorkerData = {
      share: kernel.share,
      spec,
      weights: sharedWeights(weights),
      hash,
      layers,
    };
    this.#workers = new ShardedWorkers(workers, entry, data);
  }

  /**
   * Applies merged items of a stream, in order. Whoever calls it has validated their events, and
   * acknowledges what they finish when the promise is settled.
   *
   * @throws {PolyphaseError} what an item failed with; FAILED if the stream's thread has ended
   */
  apply(stream: string, items: readonly MergedItem[]): Promise<FusionResult> {
    // Acknowledgements are functions: they stay here.
    const sent = items.map((item): MergedItem => ({ ...item, finished: [] }));
    return this.#workers.run(stream, { kind: "apply", stream, items: sent });
  }

  /** The stream's state after all that was handed in before. */
  async checkpoint(stream: string): Promise<Uint8Array> {
    const { checkpoint } = await this.#workers.run(stream, { kind: "checkpoint", stream });
    if (checkpoint !== undefined) return checkpoint;
    throw new PolyphaseError("FAILED", `Cannot get checkpoint of ${stream}: none came`);
  }

  /** The stream's session is over: heads that speak last, speak, and its state is forgotten. */
  end(stream: string): Promise<FusionResult> {
    return this.#workers.run(stream, { kind: "end", stream });
  }

  /** Ends the threads; jobs under way fail. */
  close(): Promise<void> {
    return this.#workers.close();
  }
}

/** The same numbers in one memory that threads share instead of a copy for each. */
function sharedWeights(weights: Weights): Weights {
  return new Map(
    Array.from(weights, ([name, { shape, data }]): [string, Tensor] => {
      const buffer = new SharedArrayBuffer(data.byteLength);
      const shared =
        data instanceof Float64Array ? new Float64Array(buffer) : new Float32Array(buffer);
      shared.set(data);
      return [name, { shape, data: shared }];
    }),
  );
}
