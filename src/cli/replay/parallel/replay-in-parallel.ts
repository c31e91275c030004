import { Worker } from "node:worker_threads";
import type { FusionModel } from "../../../fusion/fusion-model.ts";
import { createFusionState, type FusionState } from "../../../fusion/fusion-state.ts";
import { PolyphaseError } from "../../../sensors/polyphase-error.ts";
import { restoreCheckpoint } from "../../../state/checkpoint.ts";
import { openRecordedLogs, type RecordedLog } from "../../../streams/replay/log/recorded-log.ts";
import { keyframeMismatch } from "../../../streams/replay/log/replay-log.ts";
import { checkBudget } from "../../budget-options.ts";
import type { ModelOptions } from "../../model-options.ts";
import type { ReplayRequest } from "../../run-replay.ts";
import { addCounts, type RunSummary } from "../../summarise-run.ts";
import { ReplayTotals } from "../replay-totals.ts";
import type {
  SegmentAnswer,
  SegmentJob,
  SegmentOrder,
  SegmentResult,
  SegmentWorkerData,
} from "./segment-job.ts";

/** Segments that may be ahead of what has been written, per thread. */
const aheadPerThread = 3;

/**
 * Replays recorded runs from all their keyframes at once, and whole recordings that have none beside
 * each other. The predictions come in the order of one thread, and the state at the end of every
 * segment must be the one that the next begins with.
 *
 * @throws {PolyphaseError} FAILED if a state is not the recorded one; USAGE if a recording cannot be
 *   replayed so
 */
export async function replayInParallel(
  request: ReplayRequest,
  threads: number,
  model: Required<ModelOptions>,
): Promise<RunSummary> {
  const { paths, sink, mode = "sparse", late = { policy: "drop" }, latenessUs = 0 } = request;
  const runs = await openRecordedLogs(paths);
  const totals = new ReplayTotals();
  const startedAt = performance.now();
  try {
    const jobs: SegmentJob[] = [];
    for (const { paths: own, log } of runs) {
      checkParallel(own[0]!, log, request);
      if (log === undefined) {
        jobs.push({ index: jobs.length, paths: own });
        continue;
      }
      checkBudget(own[0]!, log.metadata["budget"], request.budget);
      jobs.push(...(await jobsOf(own, log, jobs.length)));
    }
    const segments = new Segments({ model, mode, late, latenessUs }, threads);
    await replayJobs(jobs, segments, totals, request);
  } finally {
    for (const { log } of runs) await log?.close();
  }
  await sink.close();
  return totals.summary(request, (performance.now() - startedAt) / 1000);
}

/** Writes what comes of the jobs, and adds it up by runs. */
async function replayJobs(
  jobs: readonly SegmentJob[],
  segments: Segments,
  totals: ReplayTotals,
  { digest, model, stop }: ReplayRequest,
): Promise<void> {
  let dropped: Record<string, number> = {};
  let anomalies: Record<string, number> = {};
  await segments.replay(jobs, stop, async (result) => {
    const { paths } = jobs[result.index]!;
    // What was predicted before a mismatch is right, and may show where it began.
    await digest.writeLines(result.lines, result.predictions);
    if (result.mismatch !== undefined) throw mismatchError(paths[0]!, jobs, result);
    addCounts(dropped, result.dropped);
    addCounts(anomalies, result.anomalies);
    if (jobs[result.index + 1]?.paths === paths) return;
    totals.add(paths[0]!, { streams: statesOf(result, model), counts: { dropped, anomalies } });
    dropped = {};
    anomalies = {};
  });
}

function mismatchError(
  path: string,
  jobs: readonly SegmentJob[],
  { index, mismatch }: SegmentResult,
): PolyphaseError {
  const own = jobs.filter(({ paths }) => paths === jobs[index]!.paths);
  const { stream, timeUs, recorded, replayed } = mismatch!;
  return new PolyphaseError(
    "FAILED",
    `Segment ${index - own[0]!.index + 1} of ${own.length} of ${path} does not end in the recorded ` +
      `state: stream ${stream} at ${timeUs} µs must be ${recorded}, got ${replayed}`,
  );
}

function statesOf(
  { states }: SegmentResult,
  model: FusionModel,
): ReadonlyMap<string, { readonly state: FusionState }> {
  return new Map(
    states.map(([stream, checkpoint]) => {
      const state = createFusionState(model.graph);
      restoreCheckpoint(state, model, checkpoint);
      return [stream, { state }];
    }),
  );
}

function checkParallel(
  path: string,
  log: RecordedLog | undefined,
  { model, late, governing }: ReplayRequest,
): void {
  const refuse = (why: string): never => {
    throw new PolyphaseError("USAGE", `Cannot replay ${path} in parallel: ${why}`);
  };
  if (governing !== undefined) refuse("a budget is held from the beginning on");
  if (log === undefined) return;
  const mismatch = keyframeMismatch(log, model);
  if (mismatch !== undefined) refuse(mismatch);
  if (late !== undefined)
    refuse("its states are those of the recorded late policy; leave out --late");
  if (log.late.policy === "rewind") {
    refuse("late events rewind it, beyond the beginnings of its segments");
  }
}

/** The segments of one log, numbered from `first` on. */
async function jobsOf(
  paths: readonly string[],
  log: RecordedLog,
  first: number,
): Promise<readonly SegmentJob[]> {
  const starts = [0];
  for (const { chunk } of await log.keyframes()) if (chunk > 0) starts.push(chunk);
  return starts.map((from, i) => {
    return { index: first + i, paths, chunks: { from, to: starts[i + 1] ?? log.chunks } };
  });
}

/** Threads that replay segments. */
class Segments {
  readonly #threads: number;
  readonly #data: SegmentWorkerData;

  constructor(data: SegmentWorkerData, threads: number) {
    this.#data = data;
    this.#threads = threads;
  }

  /** Hands the results to `take` in the order of the jobs. */
  async replay(
    jobs: readonly SegmentJob[],
    stop: AbortSignal | undefined,
    take: (result: SegmentResult) => Promise<void>,
  ): Promise<void> {
    const count = Math.min(this.#threads, jobs.length);
    const workers = Array.from({ length: count }, () => new SegmentWorker(this.#data));
    const idle = [...workers];
    const results = new Map<number, Promise<SegmentResult>>();
    let begun = 0;
    let taken = 0;
    const beginMore = (): void => {
      const limit = Math.min(jobs.length, taken + aheadPerThread * count);
      while (begun < limit && idle.length > 0) {
        const worker = idle.pop()!;
        const job = jobs[begun++]!;
        const result = worker.replay(job);
        results.set(job.index, result);
        // Whoever waits for the result hears of a failure.
        result.then(() => {
          idle.push(worker);
          beginMore();
        }, ignore);
      }
    };
    try {
      for (; taken < jobs.length && stop?.aborted !== true; taken++) {
        beginMore();
        await take(await results.get(taken)!);
        results.delete(taken);
      }
    } finally {
      begun = jobs.length;
      await Promise.all(workers.map((worker) => worker.close()));
    }
  }
}

function ignore(): void {
  // See where it is passed.
}

/** One thread, which takes one job at a time. */
class SegmentWorker {
  readonly #worker: Worker;

  constructor(workerData: SegmentWorkerData) {
    this.#worker = new Worker(new URL("./segment-worker.js", import.meta.url), { workerData });
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
