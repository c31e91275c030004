import {
  tap as doNext,
  filter,
  identity,
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
  Subscription,
  takeUntil,
} from "rxjs";
import type { FusionModel } from "../fusion/fusion-model.ts";
import type { StepMode } from "../fusion/step-fusion.ts";
import { itemLength } from "../sensors/item-events.ts";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import type { VideoCropper } from "../sensors/video/video-cropper.ts";
import { encodeCheckpoint } from "../state/checkpoint.ts";
import { EventCounts } from "../telemetry/event-counts.ts";
import { type ClockOptions, mapClocks } from "./clock/map-clocks.ts";
import { cropVideo } from "./crop-video.ts";
import type { DropListener } from "./dropped-events.ts";
import { type FusedItem, fuse, type Keyframe, type LogHole } from "./fuse/fuse.ts";
import type { Governing } from "./fuse/governing.ts";
import type { LatePolicy } from "./fuse/late-policy.ts";
import type { StreamFusion } from "./fuse/stream-fusion.ts";
import { detectIdle, type TimedSensor } from "./merge/detect-idle.ts";
import { mergeByTime } from "./merge/merge-by-time.ts";
import type { MergeOptions } from "./merge/merge-options.ts";
import type { MergedItem, RecordedKeyframe } from "./merge/merged-item.ts";
import { raised } from "./raised.ts";
import { recordDecisions } from "./record/record-decisions.ts";
import { recordTo } from "./record/record-to.ts";
import type { Recorder } from "./record/recorder.ts";
import type { Sink } from "./sink.ts";
import type { Delivery, Source } from "./source.ts";

export interface PipelineOptions extends FusePipelineOptions {
  readonly source: Source;
  /** How a stream's sensors are merged, asked for at its first item. */
  readonly merge: (stream: string) => MergeOptions;
  /** What becomes of an event that its sensor cannot have sent: fail, or drop and count. */
  readonly onMalformed: "fail" | "drop";
  /** What cuts whole pictures of cameras, by sensor. Default: they come as the graph takes them. */
  readonly croppers?: ReadonlyMap<string, VideoCropper>;
  /** Whose clock is believed how. Default: every sensor's time is event time. */
  readonly clocks?: ClockOptions;
  /** Which sensors are given up when they make no progress, by which clock. Default: none. */
  readonly idle?: IdleOptions;
  /** Stops reading and drains what is in flight. */
  readonly stop?: AbortSignal;
  /** Where events are counted, if the source counts its own drops too. Default: new counts. */
  readonly counts?: EventCounts;
}

/** The way of what has been put in order. */
export interface FusePipelineOptions {
  readonly model: FusionModel;
  readonly sink: Sink;
  /** `dense` evaluates every row, for comparison; the result is the same bits. */
  readonly mode?: StepMode;
  /** Sees every merged item before it is applied; for timelines. */
  readonly tap?: (item: MergedItem) => void;
  /** What merged items pass before they are applied: a pace, a window of time. */
  readonly shape?: OperatorFunction<MergedItem, MergedItem>;
  /** What becomes of events whose time is over. Default `drop`. */
  readonly late?: LatePolicy;
  /** Compute that each stream may take. Default: no limit. */
  readonly governing?: Governing;
  /** The side output: hears of every event that is dropped. */
  readonly onDrop?: DropListener;
  /** Records what is applied. The caller closes it. */
  readonly recorder?: Recorder;
  /** Hears of every recorded state that is passed, with the state of now in the same form. */
  readonly onKeyframe?: (recorded: RecordedKeyframe, now: Uint8Array) => void;
  /** See {@link FuseOptions}. */
  readonly onHole?: (hole: LogHole) => void;
  /** States to go on from, by stream. Default: every stream begins anew. */
  readonly resume?: ReadonlyMap<string, Keyframe>;
  /** Asked at the end of the input; see {@link FuseOptions}. */
  readonly endsSessions?: () => boolean;
}

/** Live operation only: a replay has the decisions in its recording. */
export interface IdleOptions {
  readonly sensors: (stream: string) => readonly TimedSensor[];
  /** Processing time. Default: the system's. */
  readonly scheduler?: SchedulerLike;
}

/** What a pipeline has done when it is over. */
export interface PipelineResult {
  readonly counts: EventCounts;
  /** Final fusion of each stream, in order of first appearance. */
  readonly streams: ReadonlyMap<string, StreamFusion>;
}

/**
 * The one way of data: source → crop → validate → map clocks → mergeByTime → encode → step → sink, with an
 * acknowledgement per delivery once its predictions are written.
 *
 * Resolves when the source has ended, or `stop` was raised, and the sink is closed.
 *
 * @throws {PolyphaseError} what the source, an event or the sink failed with
 */
export async function runPipeline(options: PipelineOptions): Promise<PipelineResult> {
  const { source, model, merge, clocks, idle, late, recorder, onDrop } = options;
  const { counts = new EventCounts(), croppers } = options;
  const handedOn = {
    late: late === undefined || late.policy === "drop" ? "drop" : "pass",
    progress: recorder !== undefined || options.shape !== undefined,
    ...(onDrop === undefined ? {} : { onDrop }),
  } as const;
  const merged = source.open().pipe(
    // Completes here, so that everything behind drains.
    options.stop === undefined ? identity : takeUntil(raised(options.stop)),
    croppers === undefined ? identity : cropVideo({ ...options, croppers }, counts),
    filter(validator(model, counts, options)),
    clocks === undefined ? identity : mapClocks(clocks, counts),
    idle === undefined ? identity : detectIdle(idle.sensors, idle.scheduler),
    mergeByTime((stream) => ({ ...merge(stream), ...handedOn }), counts),
  );
  return fusePipeline(merged, options, counts);
}

/**
 * The second half of the way, for items that are in order already: → encode → step → sink.
 *
 * Resolves when the input has ended and the sink is closed.
 *
 * @param counts what the first half has counted so far
 * @throws {PolyphaseError} what the input or the sink failed with
 */
export async function fusePipeline(
  merged: Observable<MergedItem>,
  options: FusePipelineOptions,
  counts: EventCounts,
): Promise<PipelineResult> {
  const { model, sink, mode = "sparse", tap, late = { policy: "drop" }, recorder } = options;
  const { onDrop, onHole, onKeyframe, resume, endsSessions, shape = identity } = options;
  const governing =
    options.governing && recorder
      ? recordDecisions(options.governing, late, recorder)
      : options.governing;
  const streams = new Map<string, StreamFusion>();
  const checkpoint = (stream: string): Uint8Array | undefined => {
    const fusion = streams.get(stream);
    return fusion && encodeCheckpoint(fusion.state, model, stream);
  };
  for (const [stream, keyframe] of resume ?? []) recorder?.resume(stream, keyframe);
  const fused = merged.pipe(
    shape,
    tap === undefined ? identity : doNext(tap),
    fuse(model, streams, counts, {
      mode,
      late,
      ...(onDrop === undefined ? {} : { onDrop }),
      ...(onHole === undefined ? {} : { onHole }),
      ...(resume === undefined ? {} : { resume }),
      ...(endsSessions === undefined ? {} : { endsSessions }),
      ...(governing === undefined ? {} : { governing }),
    }),
    onKeyframe === undefined
      ? identity
      : doNext(({ item }) => {
          if (item?.kind === "keyframe") onKeyframe(item, checkpoint(item.stream)!);
        }),
    recorder === undefined ? identity : recordTo(recorder, checkpoint),
  );
  try {
    await drain(fused, sink, recorder);
  } finally {
    await sink.close();
  }
  // A shape may hold items back when it is stopped; without one, nothing may be missing.
  if (options.shape === undefined) counts.assertComplete();
  return { counts, streams };
}

/**
 * Checks every event against its sensor's encoder once, so that nothing behind has to.
 *
 * @returns a function that is true for deliveries that may go on; others it has dropped and counted
 */
export function validator(
  model: FusionModel,
  counts: EventCounts,
  { onMalformed, onDrop }: Pick<PipelineOptions, "onMalformed" | "onDrop">,
): (delivery: Delivery) => boolean {
  const encoders = new Map(
    model.graph.sensors.map(({ spec, index }) => [spec.name, model.encoders[index]!]),
  );
  return (delivery) => {
    const { item } = delivery;
    if (item.kind === "marker" || item.kind === "status") return true;
    try {
      encoders.get(item.sensor)?.validate(item);
      return true;
    } catch (error) {
      if (onMalformed === "fail" || !(error instanceof PolyphaseError)) throw error;
    }
    const events = itemLength(item);
    counts.take(events);
    counts.drop("malformed", events);
    onDrop?.({ reason: "malformed", item, from: 0, to: events });
    delivery.acknowledge();
    return false;
  };
}

/**
 * Writes predictions in order and acknowledges what they came from, as soon as a recorder has not too
 * much to write: a replay must not outrun the disk.
 */
function drain(
  items: Observable<FusedItem>,
  sink: Sink,
  recorder: Recorder | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let tail: Promise<void> | undefined;
    const acknowledge = (finished: readonly Delivery[]): void => {
      for (const delivery of finished) delivery.acknowledge();
    };
    const write = ({ predictions, finished }: FusedItem): void | Promise<void> => {
      const written = predictions.length > 0 ? sink.write(predictions) : undefined;
      const recorded = recorder?.busy;
      if (written === undefined && recorded === undefined) acknowledge(finished);
      else return Promise.all([written, recorded]).then(() => acknowledge(finished));
    };
    const fail = (error: unknown): void => {
      subscription.unsubscribe();
      reject(error);
    };
    const writeInTurn = (item: FusedItem): void => {
      const written = tail === undefined ? write(item) : tail.then(() => write(item));
      if (written === undefined) return;
      const mine: Promise<void> = written.then(() => {
        if (tail === mine) tail = undefined;
      });
      tail = mine;
      mine.catch(fail);
    };
    const subscription = new Subscription();
    subscription.add(
      items.subscribe({
        next: (item) => {
          try {
            writeInTurn(item);
          } catch (error) {
            fail(error);
          }
        },
        error: reject,
        complete: () => {
          if (tail === undefined) resolve();
          else tail.then(resolve, reject);
        },
      }),
    );
  });
}
