import type { TimeUs } from "../../sensors/time.ts";
import { ResumedTooLate } from "../../streams/fuse/rewind-fusion.ts";
import type { FusePipelineOptions, PipelineResult } from "../../streams/pipeline.ts";
import type { RecordedLog } from "../../streams/replay/log/recorded-log.ts";
import {
  keyframeMismatch,
  type LogSegment,
  logFrom,
  replayLog,
  wholeLog,
} from "../../streams/replay/log/replay-log.ts";
import type { RunRequest } from "./run-request.ts";
import { resolveTime, windowed } from "./time-window.ts";

/** Deliveries that may be unacknowledged before the next chunk is read. */
export const inFlightMax = 2_048;

/** Replays what a recorder wrote as it was applied then, from the nearest keyframe. */
export async function replayRecordedLog(
  log: RecordedLog,
  request: RunRequest,
): Promise<PipelineResult> {
  const { model, start, end, sensors, stop } = request;
  const firstUs = start === undefined && end === undefined ? 0 : await firstTimeUs(log);
  const startUs = start === undefined ? undefined : resolveTime(start, firstUs);
  const endUs = end === undefined ? undefined : resolveTime(end, firstUs);
  const window = {
    ...(startUs === undefined ? {} : { startUs }),
    ...(endUs === undefined ? {} : { endUs }),
  };
  const holes = holeListener(log, request);
  const replayFrom = (segment: LogSegment): Promise<PipelineResult> => {
    const pace = request.pace?.(startUs);
    return replayLog(log, {
      ...request.pipeline,
      ...(pace === undefined ? {} : { shape: pace.operator }),
      ...{ model, segment, inFlightMax, sink: windowed(request.pipeline.sink, window) },
      ...(endUs === undefined ? {} : { endUs }),
      ...(sensors === undefined ? {} : { sensors }),
      ...(stop === undefined ? {} : { stop }),
      ...holes,
    });
  };
  return earlierWhereNeeded(log, await segmentFrom(log, startUs, request), request, replayFrom);
}

/**
 * Says once that a log has lost events, as one that was recovered, and lets the replay go on from the
 * state behind them. Where the states are not those of this replay, nothing is compared.
 */
function holeListener(
  log: RecordedLog,
  { model, late, sensors, warn }: RunRequest,
): Pick<FusePipelineOptions, "onHole"> {
  const { policy } = log.late;
  const hasOwnStates = sensors === undefined && keyframeMismatch(log, model) === undefined;
  if (!hasOwnStates || policy === "rewind" || (late?.policy ?? policy) !== policy) return {};
  let isTold = false;
  return {
    onHole: ({ stream, timeUs, events }) => {
      if (isTold) return;
      isTold = true;
      warn(
        `${log.files[0]!.path} has lost ${events} events of stream ${stream} before ${timeUs} µs: the ` +
          "replay goes on from the state that was recorded there, as behind any other hole",
      );
    },
  };
}

/**
 * A late event may lie before the state that a rewinding replay was resumed from. That shows before
 * the window begins, because the state is a horizon older: another attempt repeats no prediction.
 */
async function earlierWhereNeeded(
  log: RecordedLog,
  first: LogSegment,
  { model, pipeline }: RunRequest,
  replayFrom: (segment: LogSegment) => Promise<PipelineResult>,
): Promise<PipelineResult> {
  let segment = first;
  for (;;) {
    try {
      return await replayFrom(segment);
    } catch (error) {
      const canTryAgain = segment.from > 0 && pipeline.recorder === undefined;
      if (!(error instanceof ResumedTooLate) || !canTryAgain) throw error;
    }
    const timesUs = [...segment.states.values()].map(({ timeUs }) => timeUs);
    segment = await logFrom(log, model, Math.min(...timesUs) - 1, { policy: "drop" });
  }
}

async function segmentFrom(
  log: RecordedLog,
  startUs: TimeUs | undefined,
  { model, late, sensors, warn }: RunRequest,
): Promise<LogSegment> {
  const { path, isClosed } = log.files.at(-1)!;
  if (!isClosed) warn(`${path} was not completed: it is replayed up to its last whole chunk`);
  const mismatch =
    sensors === undefined
      ? keyframeMismatch(log, model)
      : "its keyframes are of all sensors, not of some";
  if (mismatch !== undefined) {
    const beginsAnew = log.chunks === 0 || (await log.states(0)).size === 0;
    if (!beginsAnew) warn(`${log.files[0]!.path} begins in the middle of a run, and ${mismatch}`);
    else if (startUs !== undefined) warn(`from the beginning without a word: ${mismatch}`);
    return { from: 0, to: log.chunks, states: new Map() };
  }
  if (startUs === undefined) return wholeLog(log, model);
  const segment = await logFrom(log, model, startUs, late);
  if (segment.from === 0 && segment.states.size === 0) {
    warn("there is no keyframe before --start: from the beginning without a word");
  }
  return segment;
}

/** Earliest time in the log's first chunk: what relative times count from. */
async function firstTimeUs(log: RecordedLog): Promise<TimeUs> {
  let firstUs = Number.POSITIVE_INFINITY;
  for await (const entries of log.entries(0, 1)) {
    for (const entry of entries) {
      if (entry.kind === "keyframe") firstUs = Math.min(firstUs, entry.timeUs);
      else if (entry.kind === "item") firstUs = Math.min(firstUs, entry.item.timeUs);
    }
  }
  return firstUs;
}
