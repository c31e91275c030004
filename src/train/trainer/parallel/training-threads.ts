import { Worker } from "node:worker_threads";
import { type ErrorCode, PolyphaseError } from "../../../sensors/polyphase-error.ts";
import type { TaskChoices } from "../../tasks/create-task.ts";
import type { ShardJob, ShardMemory } from "./gradient-shards.ts";

/** What a thread begins with: the same network as everybody's, and the memory they share. */
export interface TrainingThreadData {
  readonly task: string;
  readonly choices: TaskChoices;
  readonly seed: number;
  readonly memory: ShardMemory;
}

export interface ThreadJob {
  readonly job: ShardJob;
  readonly shards: readonly number[];
}

/** `undefined` once the shards are in the shared memory. */
export type ThreadAnswer = { readonly code: ErrorCode; readonly message: string } | undefined;

/** Threads that compute the gradients of the shards of a batch. */
export class TrainingThreads {
  readonly #workers: readonly Worker[];
  readonly #failures = new Map<Worker, unknown>();
  readonly #shards: number;

  /** @param entry module that the threads run; the built `training-thread.js` if absent */
  constructor(
    threads: number,
    data: TrainingThreadData,
    entry: URL = new URL("./training-thread.js", import.meta.url),
  ) {
    this.#workers = Array.from({ length: threads }, () => {
      const worker = new Worker(entry, { workerData: data });
      // One that ends between two jobs fails the next.
      worker.on("error", (error) => this.#failures.set(worker, error));
      return worker;
    });
    this.#shards = data.memory.shards;
  }

  /**
   * Has all shards of a batch computed.
   *
   * @throws {PolyphaseError} what a thread failed with; FAILED if one has ended
   */
  async run(job: ShardJob): Promise<void> {
    await Promise.all(
      this.#workers.map((worker, w) => {
        const all = Array.from({ length: this.#shards }, (_, shard) => shard);
        const shards = all.filter((shard) => shard % this.#workers.length === w);
        return ask(worker, { job, shards }, this.#failures.get(worker) ?? "it stopped");
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** @param why the thread has ended, if it has */
function ask(worker: Worker, job: ThreadJob, why: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error: PolyphaseError | undefined): void => {
      worker.off("message", onMessage);
      worker.off("error", onError);
      worker.off("exit", onExit);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onMessage = (answer: ThreadAnswer): void => {
      end(answer && new PolyphaseError(answer.code, answer.message));
    };
    const onError = (cause: unknown): void => {
      const what = cause instanceof Error ? cause.message : String(cause);
      end(new PolyphaseError("FAILED", `Cannot train on: a thread has ended: ${what}`, { cause }));
    };
    const onExit = (): void => onError(why);
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.on("exit", onExit);
    if (worker.threadId < 0) onExit();
    else worker.postMessage(job);
  });
}
