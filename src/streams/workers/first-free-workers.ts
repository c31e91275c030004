import { WorkerThreads } from "./worker-threads.ts";

/** Jobs that a thread has at a time: one at work, and one so that it need not wait for the next. */
const jobsPerThread = 2;

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Threads of which the one with the least to do takes the next stream that waits, so that a core
 * that others slow down does not hold up the rest. A stream has one job under way at a time: its
 * jobs are done in the order of the calls, whichever thread does them. For jobs that bring all they
 * need; once a thread has ended, which may leave a state half written, all that waits or comes fails.
 */
export class FirstFreeWorkers<Job, Result> {
  readonly #threads: WorkerThreads<Job, Result>;
  /** Jobs under way at each thread. */
  readonly #load: number[];
  /** Jobs that wait, by stream; a stream is here while it has one waiting or under way. */
  readonly #waiting = new Map<string, Waiting<Job, Result>[]>();
  /** Streams that have jobs waiting and none under way, the longest waiting first. */
  readonly #ready: string[] = [];

  /** @param workerData what each thread begins with */
  constructor(workers: number, entry: URL, workerData: unknown) {
    this.#threads = new WorkerThreads(workers, entry, workerData);
    this.#load = new Array(workers).fill(0);
  }

  /** @throws {PolyphaseError} what the job failed with; FAILED if a thread has ended */
  run(stream: string, job: Job): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiting = { job, resolve, reject };
      const behind = this.#waiting.get(stream);
      if (behind === undefined) {
        this.#waiting.set(stream, [waiting]);
        this.#ready.push(stream);
      } else {
        behind.push(waiting);
      }
      this.#handOut();
    });
  }

  /** Ends the threads; jobs under way and waiting fail. */
  close(): Promise<void> {
    return this.#threads.close();
  }

  #handOut(): void {
    const { failure } = this.#threads;
    if (failure !== undefined) {
      for (const jobs of this.#waiting.values()) {
        for (const { reject } of jobs.splice(0)) reject(failure);
      }
      this.#waiting.clear();
      this.#ready.length = 0;
    }
    while (this.#ready.length > 0) {
      const load = Math.min(...this.#load);
      if (load === jobsPerThread) return;
      void this.#runNext(this.#ready.shift()!, this.#load.indexOf(load));
    }
  }

  async #runNext(stream: string, thread: number): Promise<void> {
    const jobs = this.#waiting.get(stream)!;
    const { job, resolve, reject } = jobs.shift()!;
    this.#load[thread]!++;
    await this.#threads.run(thread, job).then(resolve, reject);
    this.#load[thread]!--;
    if (jobs.length > 0) this.#ready.push(stream);
    else this.#waiting.delete(stream);
    this.#handOut();
  }
}
