import { filter, identity, takeUntil } from "rxjs";
import type { FusionModel } from "../../../fusion/fusion-model.ts";
import type { TimeUs } from "../../../sensors/time.ts";
import { EventCounts } from "../../../telemetry/event-counts.ts";
import type { Keyframe } from "../../fuse/fuse.ts";
import type { Governing } from "../../fuse/governing.ts";
import type { LatePolicy } from "../../fuse/late-policy.ts";
import type { MergedItem } from "../../merge/merged-item.ts";
import {
  type FusePipelineOptions,
  fusePipeline,
  type PipelineResult,
  validator,
} from "../../pipeline.ts";
import { raised } from "../../raised.ts";
import { stateScalar } from "../../record/recorder-metadata.ts";
import { logSource } from "./log-source.ts";
import type { RecordedLog } from "./recorded-log.ts";

/** A part of a log, from one keyframe, or the beginning, to another, or the end. */
export interface LogSegment {
  /** Chunks `from` to `to` (excluded). */
  readonly from: number;
  readonly to: number;
  /** What the states are at its beginning; none at a stream's own beginning. */
  readonly states: ReadonlyMap<string, Keyframe>;
}

export interface LogReplayOptions extends Omit<FusePipelineOptions, "resume" | "endsSessions"> {
  /** Default: the whole log. */
  readonly segment?: LogSegment;
  /** Items from here on are not read. */
  readonly endUs?: TimeUs;
  /** The sensors that are read. Default: all. */
  readonly sensors?: ReadonlySet<string>;
  /** Deliveries that may be unacknowledged before reading waits. */
  readonly inFlightMax: number;
  /** Stops reading. */
  readonly stop?: AbortSignal;
}

/**
 * Replays what a recorder wrote: predictions and states are those of the recorded run, bit for bit,
 * if the model, the late policy and the governor are. Where the log has the governor's decisions, those
 * are taken, whatever its rule would decide by now.
 *
 * @throws {PolyphaseError} what the log, an event or the sink failed with
 */
export async function replayLog(
  log: RecordedLog,
  options: LogReplayOptions,
): Promise<PipelineResult> {
  const { model, endUs, sensors, onDrop, stop, inFlightMax } = options;
  const { from, to, states } = options.segment ?? (await wholeLog(log, model));
  const late = options.late ?? log.late;
  const governing = options.governing && governingOf(log, options.governing, late, sensors);
  const counts = new EventCounts();
  const listener = onDrop === undefined ? {} : { onDrop };
  const merged = logSource(
    log,
    {
      from,
      to,
      inFlightMax,
      sensors: model.graph.sensors.map(({ spec }) => spec.name),
      late: late.policy === "drop" ? "drop" : "pass",
      ...(endUs === undefined ? {} : { endUs }),
      ...(sensors === undefined ? {} : { selected: sensors }),
      accepts: validator(model, counts, { onMalformed: "fail", ...listener }),
      ...listener,
    },
    counts,
  ).pipe(
    stop === undefined ? identity : takeUntil(raised(stop)),
    // Where the rule decides anew, a recorder must not hear of what was decided then.
    governing?.source === "recorded" ? identity : filter((item) => !isGovernors(item)),
  );
  const isWhole = log.isEnd && to === log.chunks && endUs === undefined;
  return fusePipeline(
    merged,
    {
      ...options,
      ...(governing && { governing }),
      late,
      resume: states,
      endsSessions: () => isWhole && stop?.aborted !== true,
    },
    counts,
  );
}

/** The decisions that were made then, unless other events are applied now. */
function governingOf(
  { metadata, late: recorded }: RecordedLog,
  governing: Governing,
  late: LatePolicy,
  sensors: ReadonlySet<string> | undefined,
): Governing {
  const isSame = late.policy === recorded.policy && sensors === undefined;
  return metadata["decisions"] === "recorded" && isSame
    ? { ...governing, source: "recorded" }
    : governing;
}

function isGovernors(item: MergedItem): boolean {
  return item.kind === "decision" && item.decision.kind === "governor";
}

/** Why a log's keyframes cannot be states of `model`; undefined if they can. */
export function keyframeMismatch(log: RecordedLog, model: FusionModel): string | undefined {
  const { modelHash, scalar } = log.metadata;
  if (modelHash !== model.hash) return `its keyframes are of model ${modelHash}, not ${model.hash}`;
  const own = stateScalar(model);
  return scalar === own ? undefined : `its keyframes are ${scalar}, not ${own}`;
}

/** A log from its beginning: where that is a keyframe, with its states. */
export async function wholeLog(log: RecordedLog, model: FusionModel): Promise<LogSegment> {
  const isUsable = log.chunks > 0 && keyframeMismatch(log, model) === undefined;
  return { from: 0, to: log.chunks, states: isUsable ? await log.states(0) : new Map() };
}

/**
 * The shortest end of a log that has everything before `startUs` either in it or in the states that
 * it begins with.
 *
 * @param late where events may be applied that were late, states must be older than these
 */
export async function logFrom(
  log: RecordedLog,
  model: FusionModel,
  startUs: TimeUs,
  late: LatePolicy = log.late,
): Promise<LogSegment> {
  const whole = await wholeLog(log, model);
  if (keyframeMismatch(log, model) !== undefined) return whole;
  const latestUs = startUs - (late.policy === "rewind" ? late.horizonUs : 0);
  const places = await log.keyframes();
  const place = places.findLast(({ timesUs }) => {
    return [...timesUs.values()].every((timeUs) => timeUs <= latestUs);
  });
  if (place === undefined) return whole;
  return { from: place.chunk, to: log.chunks, states: await log.states(place.chunk) };
}
