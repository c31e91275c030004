import { Observable, type OperatorFunction } from "rxjs";
import type { AheadEncoder } from "../../fusion/encoder.ts";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import type { Prediction } from "../../fusion/prediction.ts";
import type { StepMode } from "../../fusion/step-fusion.ts";
import type { Marker, SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { eventsAhead, restoreCheckpoint } from "../../state/checkpoint.ts";
import type { AnomalyReason, EventCounts } from "../../telemetry/event-counts.ts";
import type { DropListener } from "../dropped-events.ts";
import type { EventRange, LateEvents, MergedItem, RecordedKeyframe } from "../merge/merged-item.ts";
import type { Delivery } from "../source.ts";
import type { Governing } from "./governing.ts";
import { inOrder } from "./in-order.ts";
import type { LatePolicy } from "./late-policy.ts";
import { RewindFusion } from "./rewind-fusion.ts";
import { type AheadFeatures, StreamFusion } from "./stream-fusion.ts";

/** What one merged item led to. */
export interface FusedItem {
  /** What was applied; undefined for what is said at the end of the input. */
  readonly item: MergedItem | undefined;
  readonly predictions: readonly Prediction[];
  /** Deliveries that have no effect still to come. */
  readonly finished: readonly Delivery[];
}

export interface FuseOptions {
  readonly mode: StepMode;
  readonly late: LatePolicy;
  readonly onDrop?: DropListener;
  /** Default: no limit. */
  readonly governing?: Governing;
  /** States to go on from, by stream. Default: every stream begins anew. */
  readonly resume?: ReadonlyMap<string, Keyframe>;
  /**
   * Asked when the input is over: whether the sessions are, so that heads that speak last, speak.
   * Default: they are.
   */
  readonly endsSessions?: () => boolean;
  /**
   * Given: where a recorded state holds events that have not come, it is taken, and this hears of it.
   * Not for late events that are rewound. Default: recorded states say nothing.
   */
  readonly onHole?: (hole: LogHole) => void;
}

/** Events of a stream that a recording has lost. */
export interface LogHole {
  readonly stream: string;
  /** Time of the recorded state behind the hole: whatever is missing lies before it. */
  readonly timeUs: TimeUs;
  /** Events missing since the state before. */
  readonly events: number;
}

/** A stream's state when all its events before `timeUs` had been applied and no other. */
export interface Keyframe {
  readonly timeUs: TimeUs;
  /** As `encodeCheckpoint` makes it. */
  readonly checkpoint: Uint8Array;
}

/** What applies the merged items of one stream. */
type Fusion = Pick<StreamFusion, "apply" | "end">;

const silence: readonly Prediction[] = [];

/**
 * Applies merged items to their streams' states, in order. Items whose features need a slow encoder
 * wait for it, and all behind them; everything else goes through in the same turn of the event loop.
 *
 * @param streams receives the fusion of each stream at its first item; the caller reads final states
 *   from it
 */
export function fuse(
  model: FusionModel,
  streams: Map<string, StreamFusion>,
  counts: EventCounts,
  options: FuseOptions,
): OperatorFunction<MergedItem, FusedItem> {
  const ahead = new Map<string, AheadEncoder>();
  model.encoders.forEach((encoder, i) => {
    if (encoder.mode === "ahead") ahead.set(model.graph.sensors[i]!.spec.name, encoder);
  });
  return (items) =>
    new Observable((subscriber) => {
      let predictions = silence;
      let several: Prediction[] | undefined;
      const collect = (more: readonly Prediction[]): void => {
        if (predictions.length === 0) {
          predictions = more;
          return;
        }
        // A run of DVS events can predict thousands of times before it is emitted.
        several ??= [...predictions];
        for (const prediction of more) several.push(prediction);
        predictions = several;
      };
      const emit = (item: MergedItem | undefined, finished: readonly Delivery[]): void => {
        const fused = { item, predictions, finished };
        predictions = silence;
        several = undefined;
        subscriber.next(fused);
      };
      const fusions = new Fusions(model, streams, counts, options, collect);
      const apply = (item: MergedItem, features: AheadFeatures): void => {
        if (item.kind === "keyframe") fusions.passHole(item);
        const events = fusions.of(item.stream).apply(item, features);
        counts.fuse(events);
        if (item.kind === "late") counts.note(anomalyOf(options.late), events);
        emit(item, item.finished);
      };
      const end = (): void => {
        if (options.endsSessions?.() ?? true) fusions.end();
        emit(undefined, []);
        subscriber.complete();
      };
      return items.subscribe(inOrder(ahead, apply, end, (error) => subscriber.error(error)));
    });
}

/** The fusion of every stream. */
class Fusions {
  readonly #create: (stream: string) => Fusion;
  readonly #passHole: (keyframe: RecordedKeyframe) => void;
  readonly #fusions = new Map<string, Fusion>();

  constructor(
    model: FusionModel,
    streams: Map<string, StreamFusion>,
    counts: EventCounts,
    { late, mode, onDrop, onHole, resume, governing }: FuseOptions,
    say: (predictions: readonly Prediction[]) => void,
  ) {
    const drop = (range: EventRange<SensorEvent | Marker>): void => {
      const { event: item, from, to } = range;
      counts.drop("late", to - from);
      onDrop?.({ reason: "late", item, from, to });
    };
    this.#create = (stream) => {
      const keyframe = resume?.get(stream);
      const create: CreateFusion = (listener) => {
        const created = new StreamFusion(model, stream, listener, mode, governing);
        if (keyframe !== undefined) restoreCheckpoint(created.state, model, keyframe.checkpoint);
        streams.set(stream, created);
        return created;
      };
      return createFusion(create, late, say, drop, keyframe?.timeUs);
    };
    this.#passHole = ({ stream, timeUs, checkpoint }) => {
      if (onHole === undefined) return;
      this.of(stream);
      const { state } = streams.get(stream)!;
      const events = eventsAhead(state, checkpoint);
      if (events <= 0) return;
      restoreCheckpoint(state, model, checkpoint);
      counts.note("log-hole", events);
      onHole({ stream, timeUs, events });
    };
    for (const stream of resume?.keys() ?? []) this.of(stream);
  }

  /** Takes a recorded state where it holds events that have not come. */
  passHole(keyframe: RecordedKeyframe): void {
    this.#passHole(keyframe);
  }

  of(stream: string): Fusion {
    let fusion = this.#fusions.get(stream);
    if (fusion === undefined) {
      fusion = this.#create(stream);
      this.#fusions.set(stream, fusion);
    }
    return fusion;
  }

  end(): void {
    for (const fusion of this.#fusions.values()) fusion.end();
  }
}

type CreateFusion = (listener: (predictions: readonly Prediction[]) => void) => StreamFusion;

function createFusion(
  create: CreateFusion,
  late: LatePolicy,
  say: (predictions: readonly Prediction[]) => void,
  drop: (range: EventRange<SensorEvent | Marker>) => void,
  resumedUs: TimeUs | undefined,
): Fusion {
  if (late.policy === "rewind") return new RewindFusion(create, late, say, drop, resumedUs);
  const fusion = create(say);
  return {
    apply: (item, ahead) => {
      if (item.kind !== "late" || isApplicable(item, late)) return fusion.apply(item, ahead);
      drop(item.range);
      return 0;
    },
    end: () => fusion.end(),
  };
}

/** A late marker would reset, or speak of, a state that has moved on. */
function isApplicable({ range }: LateEvents, { policy }: LatePolicy): boolean {
  return policy === "apply-late" && range.event.kind !== "marker";
}

function anomalyOf({ policy }: LatePolicy): AnomalyReason {
  return policy === "rewind" ? "rewound" : "applied-late";
}
