import { Worker } from "node:worker_threads";
import type { EventBatch, LayerState } from "../../cells/kernels/kernel.ts";
import type { WasmKernel } from "../../cells/kernels/wasm-kernel.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { LayerJob, LayerResult } from "./layer-job.ts";

export interface LayerWorkerPoolOptions {
  readonly workers: number;
  /** Module that the threads run; the built `layer-worker.js` if absent. */
  readonly entry?: URL;
}

interface Pending {
  readonly worker: number;
  readonly resolve: (open: number) => void;
  readonly reject: (error: PolyphaseError) => void;
}

/**
 * Threads that compute layers whose weights all share. A stream always goes to the same thread,
 * which takes its jobs in order: the bits are those of one thread.
 *
 * There is no queue with a limit of its own: whoever hands in a batch may refill it only when its
 * promise is settled, so the number of batches bounds what is in flight.
 */
export class LayerWorkerPool {
  readonly #workers: readonly Worker[];
  readonly #pending = new Map<number, Pending>();
  /** Why a thread ended, once it has. */
  readonly #failures: (PolyphaseError | undefined)[] = [];
  #nextId = 0;

  /** @param kernel whose memory holds the layers, states and batches of the jobs */
  constructor(kernel: WasmKernel, options: LayerWorkerPoolOptions) {
    const { workers, entry = new URL("./layer-worker.js", import.meta.url) } = options;
    if (!(Number.isSafeInteger(workers) && workers > 0)) {
      throw new RangeError(
        `Cannot start workers: workers must be a whole number > 0, got ${workers}`,
      );
    }
    this.#workers = Array.from({ length: workers }, (_, index) => {
      const worker = new Worker(entry, { workerData: kernel.share });
      worker.on("message", (result: LayerResult) => this.#settle(result));
      worker.on("error", (error) => this.#fail(index, error));
      worker.on("exit", () => this.#fail(index, undefined));
      return worker;
    });
  }

  /**
   * Runs the first `count` events of a batch on a stream's state.
   *
   * @param stream jobs of one stream are done in the order of the calls
   * @param layer address that `kernel.writeLayer` returned
   * @param state bound by a layer attached to the same address
   * @returns sum of open units, once the state and the batch's outputs are complete
   * @throws {PolyphaseError} FAILED if the stream's thread has ended.
   */
  run(
    stream: string,
    layer: number,
    state: LayerState,
    batch: EventBatch,
    count: number,
  ): Promise<number> {
    const worker = shardOf(stream, this.#workers.length);
    const failure = this.#failures[worker];
    if (failure !== undefined) return Promise.reject(failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { worker, resolve, reject });
      const job: LayerJob = { id, layer, state, batch, count };
      this.#workers[worker]!.postMessage(job);
    });
  }

  /** Ends the threads; jobs under way fail. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #settle({ id, open }: LayerResult): void {
    this.#pending.get(id)?.resolve(open);
    this.#pending.delete(id);
  }

  #fail(worker: number, cause: unknown): void {
    const error = new PolyphaseError("FAILED", `Cannot run layer: worker ${worker} has ended`, {
      cause,
    });
    this.#failures[worker] ??= error;
    for (const [id, pending] of this.#pending) {
      if (pending.worker !== worker) continue;
      this.#pending.delete(id);
      pending.reject(error);
    }
  }
}

/** Worker of a stream by its name alone, so that it is the same in every run (FNV-1a, 32 bit). */
export function shardOf(stream: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < stream.length; i++) {
    hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % shards;
}
