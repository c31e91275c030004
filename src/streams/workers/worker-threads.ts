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
  readonly thread: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: PolyphaseError) => void;
}

/**
 * Threads that each take the jobs they are given in order. A thread that has ended fails what it was
 * asked and all that it is asked.
 */
export class WorkerThreads<Job, Result> {
  readonly #threads: readonly Worker[];
  readonly #pending = new Map<number, Pending<Result>>();
  /** Why a thread ended, once it has. */
  readonly #failures: (PolyphaseError | undefined)[] = [];
  #nextId = 0;

  /** @param workerData what each thread begins with */
  constructor(count: number, entry: URL, workerData: unknown) {
    if (!(Number.isSafeInteger(count) && count > 0)) {
      throw new RangeError(
        `Cannot start workers: workers must be a whole number > 0, got ${count}`,
      );
    }
    this.#threads = Array.from({ length: count }, (_, index) => {
      const thread = new Worker(entry, { workerData });
      thread.on("message", (answer: WorkerAnswer<Result>) => this.#settle(answer));
      thread.on("error", (error) => this.#fail(index, error));
      thread.on("exit", () => this.#fail(index, undefined));
      return thread;
    });
  }

  get count(): number {
    return this.#threads.length;
  }

  /** Why one of the threads has ended, if one has. */
  get failure(): PolyphaseError | undefined {
    return this.#failures.find((failure) => failure !== undefined);
  }

  /** @throws {PolyphaseError} what the job failed with; FAILED if the thread has ended */
  run(thread: number, job: Job): Promise<Result> {
    const failure = this.#failures[thread];
    if (failure !== undefined) return Promise.reject(failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { thread, resolve, reject });
      const message: WorkerJob<Job> = { id, job };
      this.#threads[thread]!.postMessage(message);
    });
  }

  /** Ends the threads; jobs under way fail. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #settle(answer: WorkerAnswer<Result>): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ("result" in answer) pending?.resolve(answer.result);
    else pending?.reject(new PolyphaseError(answer.error.code, answer.error.message));
  }

  #fail(thread: number, cause: unknown): void {
    const error = new PolyphaseError("FAILED", `Cannot go on: worker ${thread} has ended`, {
      cause,
    });
    this.#failures[thread] ??= error;
    for (const [id, pending] of this.#pending) {
      if (pending.thread !== thread) continue;
      this.#pending.delete(id);
      pending.reject(error);
    }
  }
}
