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

/** A thread beside this one that replays segments. */
export class SegmentThread implements SegmentRunner {
  readonly #worker: Worker;
  /** Settled when it has its model, or cannot have it. */
  readonly #started: Promise<void>;

  constructor(workerData: SegmentWorkerData) {
    this.#worker = new Worker(new URL("./segment-worker.js", import.meta.url), { workerData });
    this.#started = this.#start();
    // Whoever waits for it hears of its failure.
    this.#worker.on("error", ignore);
    this.#started.catch(ignore);
  }

  async #start(): Promise<void> {
    const [start] = (await once(this.#worker, "message")) as [SegmentWorkerStart];
    if (start !== "ready") throw new PolyphaseError(start.code, start.error);
  }

  async replay(job: SegmentJob): Promise<SegmentResult> {
    await this.#started;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#worker.off("message", onMessage).off("error", onEnd).off("exit", onEnd);
      };
      const onMessage = (answer: SegmentAnswer): void => {
        settle();
        if ("error" in answer) reject(new PolyphaseError(answer.code, answer.error));
        else resolve(answer);
      };
      const onEnd = (cause: unknown): void => {
        settle();
        reject(cause);
      };
      this.#worker.on("message", onMessage).on("error", onEnd).on("exit", onEnd);
      this.#tell(job);
    });
  }

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
