import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { PolyphaseError } from "../../../sensors/polyphase-error.ts";
import type {
  SegmentAnswer,
  SegmentJob,
  SegmentOrder,
  SegmentResult,
  SegmentRunner,
  SegmentWorkerData,
  SegmentWorkerStart,
} from "./segment-job.ts";

/**
 * A thread beside this one that replays segments; what it is told while it is at work, it does next.
 */
export class SegmentThread implements SegmentRunner {
  readonly #worker: Worker;
  /** Settled when it has its model, or cannot have it. */
  readonly #started: Promise<void>;
  /** Who waits for its answers, in order. */
  readonly #waiting: {
    readonly resolve: (result: SegmentResult) => void;
    readonly reject: (cause: unknown) => void;
  }[] = [];

  constructor(workerData: SegmentWorkerData) {
    this.#worker = new Worker(new URL("./segment-worker.js", import.meta.url), { workerData });
    this.#started = this.#start();
    // Whoever waits for it hears of its failure.
    this.#started.catch(ignore);
    this.#worker.on("error", this.#fail).on("exit", this.#fail);
  }

  async #start(): Promise<void> {
    const [start] = (await once(this.#worker, "message")) as [SegmentWorkerStart];
    if (start !== "ready") throw new PolyphaseError(start.code, start.error);
    this.#worker.on("message", (answer: SegmentAnswer) => {
      const { resolve, reject } = this.#waiting.shift()!;
      if ("error" in answer) reject(new PolyphaseError(answer.code, answer.error));
      else resolve(answer);
    });
  }

  async replay(job: SegmentJob): Promise<SegmentResult> {
    await this.#started;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#tell(job);
    });
  }

  readonly #fail = (cause: unknown): void => {
    for (const { reject } of this.#waiting.splice(0)) reject(cause);
  };

  /**
   * Lets the thread end by itself: `terminate` within a call of onnxruntime aborts the whole process,
   * because it throws where JavaScript may not run any more.
   */
  async close(): Promise<void> {
    if (this.#worker.threadId < 0) return;
    await new Promise((resolve) => {
      this.#worker.on("exit", resolve);
      this.#tell("end");
    });
  }

  #tell(order: SegmentOrder): void {
    this.#worker.postMessage(order);
  }
}

function ignore(): void {
  // See where it is passed.
}
