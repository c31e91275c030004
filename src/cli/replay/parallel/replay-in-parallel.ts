import type { FusionModel } from "../../../fusion/fusion-model.ts";
import { createFusionState, type FusionState } from "../../../fusion/fusion-state.ts";
import { PolyphaseError } from "../../../sensors/polyphase-error.ts";
import { restoreCheckpoint } from "../../../state/checkpoint.ts";
import { openRecordedLogs, type RecordedLog } from "../../../streams/replay/log/recorded-log.ts";
import { keyframeMismatch } from "../../../streams/replay/log/replay-log.ts";
import { checkBudget } from "../../budget-options.ts";
import type { ReplayRequest } from "../../run-replay.ts";
import { addCounts, type RunSummary } from "../../summarise-run.ts";
import { ReplayTotals } from "../replay-totals.ts";
import type {
  SegmentJob,
  SegmentModel,
  SegmentResult,
  SegmentWorkerData,
  StateMismatch,
} from "./segment-job.ts";
import { SegmentThread, type SegmentThreadStart } from "./segment-thread.ts";

/** Jobs that may be ahead of what has been written, per thread. */
const aheadPerThread = 3;
/** Segments in a row that one thread replays as one job, at most: what they say is kept in memory. */
const segmentsPerJobMax = 8;
/** Jobs per thread that are enough for all threads to end at about one time. */
const jobsPerThread = 8;

/**
 * Replays recorded runs from all their keyframes at once, and whole recordings that have none beside
 * each other. The predictions come in the order of one thread, and the state at the end of every
 * segment must be the one that the next begins with.
 *
 * @param request its model only compares states: the threads make their own of `model`
 * @throws {PolyphaseError} FAILED if a state is not the recorded one; USAGE if a recording cannot be
 *   replayed so
 */
export async function replayInParallel(
  request: ReplayRequest,
  threads: number,
  model: SegmentModel,
): Promise<RunSummary> {
  const { paths, sink, mode = "sparse", late = { policy: "drop" }, latenessUs = 0 } = request;
  let encoders: RunSummary["encoders"] = {};
  const runs = await openRecordedLogs(paths);
  const totals = new ReplayTotals();
  const startedAt = performance.now();
  try {
    for (const { paths: own, log } of runs) {
      checkParallel(own[0]!, log, request);
      if (log !== undefined) checkBudget(own[0]!, log.metadata["budget"], request.budget);
    }
    const segments = new Segments({ model, mode, late, latenessUs }, threads, (start) => {
      encoders = start.encoders;
      for (const warning of start.warnings) request.warn?.(warning);
    });
    await replayJobs(runs, segments, totals, request);
  } finally {
    for (const { log } of runs) await log?.close();
  }
  await sink.close();
  return { ...totals.summary(request, (performance.now() - startedAt) / 1000), encoders };
}

type Runs = Awaited<ReturnType<typeof openRecordedLogs>>;

/** Writes what comes of the jobs, and adds it up by runs. */
async function replayJobs(
  runs: Runs,
  segments: Segments,
  totals: ReplayTotals,
  { digest, model, stop }: ReplayRequest,
): Promise<void> {
  let dropped: Record<string, number> = {};
  let anomalies: Record<string, number> = {};
  await segments.replay(runs, stop, async (result, jobs) => {
    const { paths } = jobs[result.index]!;
    // What was predicted before a mismatch is right, and may show where it began.
    await digest.writeLines(result.lines, result.predictions);
    if (result.mismatch !== undefined) {
      throw await mismatchError(runs.find((run) => run.paths === paths)!, result.mismatch);
    }
    addCounts(dropped, result.dropped);
    addCounts(anomalies, result.anomalies);
    if (jobs[result.index + 1]?.paths === paths) return;
    totals.add(paths[0]!, { streams: statesOf(result, model), counts: { dropped, anomalies } });
    dropped = {};
    anomalies = {};
  });
}

async function mismatchError(
  { paths, log }: Runs[number],
  { stream, timeUs, recorded, replayed }: StateMismatch,
): Promise<PolyphaseError> {
  const starts = (await log!.keyframes()).filter(({ chunk }) => chunk > 0);
  const next = starts.findIndex(
    ({ timesUs }) => (timesUs.get(stream) ?? Number.NEGATIVE_INFINITY) >= timeUs,
  );
  const segment = next < 0 ? starts.length : next;
  return new PolyphaseError(
    "FAILED",
    `Segment ${segment + 1} of ${starts.length + 1} of ${paths[0]!} does not end in the recorded ` +
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

/** Whole recordings, and logs in parts of one or more segments. */
async function jobsOf(runs: Runs, threads: number): Promise<readonly SegmentJob[]> {
  const keyframes = runs.reduce((sum, { log }) => sum + (log?.keyframeChunks ?? 0), 0);
  const perJob = Math.ceil(keyframes / (threads * jobsPerThread));
  const jobs: SegmentJob[] = [];
  for (const { paths, log } of runs) {
    if (log === undefined) {
      jobs.push({ index: jobs.length, paths });
      continue;
    }
    const places = await log.keyframes(Math.min(Math.max(perJob, 1), segmentsPerJobMax));
    const starts = [0, ...places.map(({ chunk }) => chunk).filter((chunk) => chunk > 0)];
    for (const [i, from] of starts.entries()) {
      jobs.push({ index: jobs.length, paths, chunks: { from, to: starts[i + 1] ?? log.chunks } });
    }
  }
  return jobs;
}

/** Threads that replay segments. */
class Segments {
  readonly #threads: number;
  readonly #data: SegmentWorkerData;
  readonly #onStart: (start: SegmentThreadStart) => void;

  /** @param onStart told how the threads compute: all of them alike */
  constructor(
    data: SegmentWorkerData,
    threads: number,
    onStart: (start: SegmentThreadStart) => void,
  ) {
    this.#data = data;
    this.#threads = threads;
    this.#onStart = onStart;
  }

  /** Hands the results to `take` in the order of the jobs, of which it is told. */
  async replay(
    runs: Runs,
    stop: AbortSignal | undefined,
    take: (result: SegmentResult, jobs: readonly SegmentJob[]) => Promise<void>,
  ): Promise<void> {
    const jobsMax = runs.reduce((sum, { log }) => sum + 1 + (log?.keyframeChunks ?? 0), 0);
    const count = Math.min(this.#threads, jobsMax);
    const workers = Array.from({ length: count }, () => new SegmentThread(this.#data));
    try {
      // The threads load what they need while the jobs are found.
      const [jobs, [start]] = await Promise.all([
        jobsOf(runs, count),
        Promise.all(workers.map((worker) => worker.start())),
      ]);
      if (start !== undefined) this.#onStart(start);
      await replayInTurn(jobs, workers, stop, (result) => take(result, jobs));
    } finally {
      await Promise.all(workers.map((worker) => worker.close()));
    }
  }
}

/** Keeps all workers busy, no more ahead of `take` than is allowed. */
async function replayInTurn(
  jobs: readonly SegmentJob[],
  workers: readonly SegmentThread[],
  stop: AbortSignal | undefined,
  take: (result: SegmentResult) => Promise<void>,
): Promise<void> {
  const idle = [...workers];
  const results = new Map<number, Promise<SegmentResult>>();
  let begun = 0;
  let taken = 0;
  const beginMore = (): void => {
    const limit = Math.min(jobs.length, taken + aheadPerThread * workers.length);
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
  }
}

function ignore(): void {
  // See where it is passed.
}
