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
  SegmentRunner,
  SegmentWorkerData,
  StateMismatch,
} from "./segment-job.ts";
import { SegmentReplayer } from "./segment-replayer.ts";
import { SegmentThread } from "./segment-thread.ts";

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
 * @param threads this one and those beside it
 * @param model what the threads beside this one make a model of that is the one of `request`
 * @throws {PolyphaseError} FAILED if a state is not the recorded one; USAGE if a recording cannot be
 *   replayed so
 */
export async function replayInParallel(
  request: ReplayRequest,
  threads: number,
  model: SegmentModel,
): Promise<RunSummary> {
  const { paths, sink, mode = "sparse", late = { policy: "drop" }, latenessUs = 0 } = request;
  const runs = await openRecordedLogs(paths);
  const totals = new ReplayTotals();
  const startedAt = performance.now();
  try {
    for (const { paths: own, log } of runs) {
      checkParallel(own[0]!, log, request);
      if (log !== undefined) checkBudget(own[0]!, log.metadata["budget"], request.budget);
    }
    const take = segmentWriter(runs, totals, request);
    await replaySegments(runs, request, threads, { model, mode, late, latenessUs }, take);
  } finally {
    for (const { log } of runs) await log?.close();
  }
  await sink.close();
  return totals.summary(request, (performance.now() - startedAt) / 1000);
}

type Runs = Awaited<ReturnType<typeof openRecordedLogs>>;

type TakeResult = (result: SegmentResult, jobs: readonly SegmentJob[]) => Promise<void>;

/** Writes what comes of the jobs, and adds it up by runs. */
function segmentWriter(
  runs: Runs,
  totals: ReplayTotals,
  { digest, model }: ReplayRequest,
): TakeResult {
  let dropped: Record<string, number> = {};
  let anomalies: Record<string, number> = {};
  return async (result, jobs) => {
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
  };
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

/** Hands the results to `take` in the order of the jobs, of which it is told. */
async function replaySegments(
  runs: Runs,
  { model, stop }: ReplayRequest,
  threads: number,
  data: SegmentWorkerData,
  take: TakeResult,
): Promise<void> {
  const jobsMax = runs.reduce((sum, { log }) => sum + 1 + (log?.keyframeChunks ?? 0), 0);
  const count = Math.min(threads, jobsMax);
  const beside = Array.from({ length: count - 1 }, () => new SegmentThread(data));
  const runners = [...beside, new SegmentReplayer(model, data)];
  try {
    const jobs = await jobsOf(runs, count);
    await replayInTurn(jobs, runners, stop, (result) => take(result, jobs));
  } finally {
    await Promise.all(runners.map((runner) => runner.close()));
  }
}

/**
 * Keeps all runners busy, no more ahead of `take` than is allowed.
 *
 * @param runners the last one is this thread, which has loaded and compiled what it takes: it begins
 */
async function replayInTurn(
  jobs: readonly SegmentJob[],
  runners: readonly SegmentRunner[],
  stop: AbortSignal | undefined,
  take: (result: SegmentResult) => Promise<void>,
): Promise<void> {
  const underWay = new Map(runners.map((runner) => [runner, 0]));
  const results = new Map<number, Promise<SegmentResult>>();
  let begun = 0;
  let taken = 0;
  /** This thread is long in hearing that another is idle: that has its next job by then, but for the last. */
  const findRunner = (): SegmentRunner | undefined => {
    const idle = runners.findLast((runner) => underWay.get(runner) === 0);
    const isNearEnd = jobs.length - begun <= 2 * runners.length;
    if (idle !== undefined || isNearEnd) return idle;
    return runners.slice(0, -1).find((runner) => underWay.get(runner) === 1);
  };
  const beginMore = (): void => {
    const limit = Math.min(jobs.length, taken + aheadPerThread * runners.length);
    while (begun < limit) {
      const runner = findRunner();
      if (runner === undefined) return;
      const job = jobs[begun++]!;
      const result = runner.replay(job);
      underWay.set(runner, underWay.get(runner)! + 1);
      results.set(job.index, result);
      // Whoever waits for the result hears of a failure.
      result.then(() => {
        underWay.set(runner, underWay.get(runner)! - 1);
        beginMore();
      }, ignore);
    }
  };
  try {
    for (; taken < jobs.length && stop?.aborted !== true; taken++) {
      beginMore();
      await take(await results.get(taken)!.catch(segmentError(taken)));
      results.delete(taken);
    }
  } finally {
    begun = jobs.length;
  }
}

function segmentError(index: number): (cause: unknown) => never {
  return (cause) => {
    const code = cause instanceof PolyphaseError ? cause.code : "FAILED";
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new PolyphaseError(code, `Cannot replay segment ${index + 1}: ${what}`, { cause });
  };
}

function ignore(): void {
  // See where it is passed.
}
