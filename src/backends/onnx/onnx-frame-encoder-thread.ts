import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { AheadEncoder } from "../../fusion/encoder.ts";
import type { VideoSensorSpec } from "../../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { createFrameEncoder } from "./create-frame-encoder.ts";
import type { FrameJob, FrameResult, FrameWorkerData, FrameWorkerStart } from "./frame-job.ts";

interface Pending {
  readonly resolve: (codes: Float32Array<ArrayBuffer>) => void;
  readonly reject: (error: PolyphaseError) => void;
}

/**
 * The encoder of {@link createOnnxFrameEncoder} in a thread of its own: onnxruntime blocks the thread
 * it is called from, so here frames are encoded while the graph goes on. The same bits.
 *
 * The thread does not keep the process alive when no frame is waited for.
 *
 * @param entry module that the thread runs; the built `frame-worker.js` if absent
 * @throws {PolyphaseError} BACKEND_UNAVAILABLE and BAD_MODEL as createOnnxFrameEncoder does
 */
export async function createOnnxFrameEncoderThread(
  spec: VideoSensorSpec,
  model: Uint8Array,
  entry: URL = new URL("./frame-worker.js", import.meta.url),
): Promise<AheadEncoder> {
  const worker = new Worker(entry, { workerData: { spec, model } satisfies FrameWorkerData });
  const [start] = (await once(worker, "message")) as [FrameWorkerStart];
  if ("error" in start) throw new PolyphaseError(start.code, start.error);
  const thread = new FrameThread(worker);
  return createFrameEncoder(spec, {
    name: `${start.name}, in a thread of its own`,
    size: start.size,
    encode: (pixels) => thread.encode(pixels),
  });
}

class FrameThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #failure: PolyphaseError | undefined;
  #nextId = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.#worker.on("message", (result: FrameResult) => this.#settle(result));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(undefined));
    // Last: listening to messages keeps the process alive again.
    this.#worker.unref();
  }

  encode(pixels: Uint8Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    if (this.#pending.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      const job: FrameJob = { id, pixels };
      this.#worker.postMessage(job, [pixels.buffer]);
    });
  }

  #settle(result: FrameResult): void {
    const pending = this.#pending.get(result.id)!;
    this.#pending.delete(result.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ("codes" in result) pending.resolve(result.codes);
    else pending.reject(new PolyphaseError("FAILED", result.error));
  }

  #fail(cause: Error | undefined): void {
    const what = cause === undefined ? "it ended" : cause.message;
    this.#failure ??= new PolyphaseError(
      "FAILED",
      `Cannot encode frames: the thread failed: ${what}`,
      {
        cause,
      },
    );
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}
