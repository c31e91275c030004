import type { EventBatch, LayerState } from "../../cells/kernels/kernel.ts";
import type { WasmKernel } from "../../cells/kernels/wasm-kernel.ts";
import { FirstFreeWorkers } from "./first-free-workers.ts";
import type { LayerJob } from "./layer-job.ts";

export interface LayerWorkerPoolOptions {
  readonly workers: number;
  /** Module that the threads run; the built `layer-worker.js` if absent. */
  readonly entry?: URL;
}

/**
 * Threads that compute single layers whose weights, states and batches all share: nothing is copied.
 * A stream goes to whichever thread has the least to do. The bits are those of one thread.
 *
 * There is no queue with a limit of its own: whoever hands in a batch may refill it only when its
 * promise is settled, so the number of batches bounds what is in flight.
 */
export class LayerWorkerPool {
  readonly #workers: FirstFreeWorkers<LayerJob, number>;

  /** @param kernel whose memory holds the layers, states and batches of the jobs */
  constructor(kernel: WasmKernel, options: LayerWorkerPoolOptions) {
    const { workers, entry = new URL("./layer-worker.js", import.meta.url) } = options;
    this.#workers = new FirstFreeWorkers(workers, entry, kernel.share);
  }

  /**
   * Runs the first `count` events of a batch on a stream's state.
   *
   * @param stream jobs of one stream are done in the order of the calls
   * @param layer address that `kernel.writeLayer` returned
   * @param state bound by a layer attached to the same address
   * @returns sum of open units, once the state and the batch's outputs are complete
   * @throws {PolyphaseError} FAILED if a thread has ended.
   */
  run(
    stream: string,
    layer: number,
    state: LayerState,
    batch: EventBatch,
    count: number,
  ): Promise<number> {
    return this.#workers.run(stream, { layer, state, batch, count });
  }

  /** Ends the threads; jobs under way fail. */
  close(): Promise<void> {
    return this.#workers.close();
  }
}
