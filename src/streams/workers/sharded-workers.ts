import { Worker } from "node:worker_threads";
import { type ErrorCode, PolyphaseError } from "../../sensors/polyphase-error.ts";

/** What a thread is told. */
export interface WorkerJob<Job> {
  readonly id: number;
  readonly job: Job;
}

/** What it answers. */
export type WorkerAnswer<Result> =
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } };

interface Pending<Result> {
  readonly worker: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: PolyphaseError) => void;
}

/**
 * Threads that share the streams among them: a stream always goes to the same thread, which takes
 * its jobs in order. A thread that has ended fails what it was asked and all that it is asked.
 */
export class ShardedWorkers<Job, Result> {
  readonly #workers: readonly Worker[];
  readonly #pending = new Map<number, Pending<Result>>();
  /** Why a thread ended, once it has. */
  readonly #failures: (PolyphaseError | undefined)[] = [];
  #nextId = 0;

  /** @param workerData what each thread begins with */
  constructor(workers: number, entry: URL, workerData: unknown) {
    if (!(Number.isSafeInteger(workers) && workers > 0)) {
      throw new RangeError(
        `Cannot start workers: workers must be a whole number > 0, got ${workers}`,
      );
    }
    this.#workers = Array.from({ length: workers }, (_, index) => {
      const worker = new Worker(entry, { workerData });
      worker.on("message", (answer: WorkerAnswer<Result>) => this.#settle(answer));
      worker.on("error", (error) => this.#fail(index, error));
      worker.on("exit", () => this.#fail(index, undefined));
      return worker;
    });
  }

  /** @throws {PolyphaseError} what the job failed with; FAILED if the stream's thread has ended */
  run(stream: string, job: Job): Promise<Result> {
    const worker = shardOf(stream, this.#workers.length);
    const failure = this.#failures[worker];
    if (failure !== undefined) return Promise.reject(failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { worker, resolve, reject });
      const message: WorkerJob<Job> = { id, job };
      this.#workers[worker]!.postMessage(message);
    });
  }

  /** Ends the threads; jobs under way fail. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #settle(answer: WorkerAnswer<Result>): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ("result" in answer) pending?.resolve(answer.result);
    else pending?.reject(new PolyphaseError(answer.error.code, answer.error.message));
  }

  #fail(worker: number, cause: unknown): void {
    const error = new PolyphaseError("FAILED", `Cannot go on: worker ${worker} has ended`, {
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
