import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { PolyphaseError } from "../../../sensors/polyphase-error.ts";
import type {
  SegmentAnswer,
  SegmentJob,
  SegmentOrder,
  SegmentResult,
  SegmentWorkerData,
  SegmentWorkerStart,
} from "./segment-job.ts";

/** How a thread computes. */
export type SegmentThreadStart = Exclude<SegmentWorkerStart, { readonly error: string }>;

/** A thread that replays segments; it takes one job at a time. */
export class SegmentThread {
  readonly #worker: Worker;

  constructor(workerData: SegmentWorkerData) {
    this.#worker = new Worker(new URL("./segment-worker.js", import.meta.url), { workerData });
    // Whoever waits for it hears of its failure.
    this.#worker.on("error", ignore);
  }

  /**
   * Waits until the thread has its model. Called once, before the first job.
   *
   * @throws {PolyphaseError} as `prepareModel`
   */
  async start(): Promise<SegmentThreadStart> {
    const [start] = (await once(this.#worker, "message")) as [SegmentWorkerStart];
    if ("error" in start) throw new PolyphaseError(start.code, start.error);
    return start;
  }

  replay(job: SegmentJob): Promise<SegmentResult> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#worker.off("message", onMessage).off("error", onEnd).off("exit", onEnd);
      };
      const onMessage = (answer: SegmentAnswer): void => {
        settle();
        if ("failure" in answer) onEnd(answer.failure);
        else resolve(answer);
      };
      const onEnd = (cause: unknown): void => {
        settle();
        const what = cause instanceof Error ? cause.message : String(cause);
        const message = `Cannot replay segment ${job.index + 1}: ${what}`;
        reject(new PolyphaseError("FAILED", message, { cause }));
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
