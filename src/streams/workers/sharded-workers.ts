import { WorkerThreads } from "./worker-threads.ts";

/**
 * Threads that share the streams among them: a stream always goes to the same thread, which holds
 * what belongs to it and takes its jobs in order. A thread that has ended fails what it was asked and
 * all that it is asked.
 */
export class ShardedWorkers<Job, Result> {
  readonly #threads: WorkerThreads<Job, Result>;

  /** @param workerData what each thread begins with */
  constructor(workers: number, entry: URL, workerData: unknown) {
    this.#threads = new WorkerThreads(workers, entry, workerData);
  }

  /** @throws {PolyphaseError} what the job failed with; FAILED if the stream's thread has ended */
  run(stream: string, job: Job): Promise<Result> {
    return this.#threads.run(shardOf(stream, this.#threads.count), job);
  }

  /** Ends the threads; jobs under way fail. */
  close(): Promise<void> {
    return this.#threads.close();
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
