import type { Prediction } from "../../fusion/prediction.ts";
import { timeAt } from "../../sensors/item-events.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { Marker, SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { EventOrder } from "../merge/event-order.ts";
import type {
  EventRange,
  LateEvents,
  MergedItem,
  MergedMarker,
  Run,
  Tick,
} from "../merge/merged-item.ts";
import { FusionHistory } from "./fusion-history.ts";
import type { RewindLimits } from "./late-policy.ts";
import { PredictionRevisions } from "./prediction-revisions.ts";
import type { AheadFeatures, StreamFusion } from "./stream-fusion.ts";

/** A late event has to be applied before the state that a run was resumed from. */
export class ResumedTooLate extends PolyphaseError {
  constructor(lateUs: TimeUs, resumedUs: TimeUs) {
    super(
      "FAILED",
      `Cannot rewind to ${lateUs} µs: the run was resumed from a keyframe at ${resumedUs} µs; ` +
        "begin at an earlier one",
    );
  }
}

/**
 * One stream's fusion that takes late events as if they had come in time: it goes back to a state
 * before them and applies everything since again, in order. State and predictions are then, bit for
 * bit, those of the same events without disorder.
 */
export class RewindFusion {
  readonly #fusion: StreamFusion;
  readonly #history: FusionHistory;
  readonly #say: (predictions: readonly Prediction[]) => void;
  readonly #drop: (range: EventRange<SensorEvent | Marker>) => void;
  readonly #resumedUs: TimeUs;
  #revisions: PredictionRevisions | undefined;

  /**
   * @param createFusion makes the fusion that does the work, with a listener for its predictions
   * @param say told of every prediction that is new, revised or retracted
   * @param drop told of late events from before the horizon, which are not applied
   * @param resumedUs where the fusion's state begins, if that is not the beginning of the stream
   */
  constructor(
    createFusion: (listener: (predictions: readonly Prediction[]) => void) => StreamFusion,
    limits: RewindLimits,
    say: (predictions: readonly Prediction[]) => void,
    drop: (range: EventRange<SensorEvent | Marker>) => void,
    resumedUs: TimeUs = Number.NEGATIVE_INFINITY,
  ) {
    this.#fusion = createFusion((predictions) => this.#hear(predictions));
    this.#history = new FusionHistory(limits);
    this.#resumedUs = resumedUs;
    this.#say = say;
    this.#drop = drop;
  }

  /** The fusion that does the work. */
  get fusion(): StreamFusion {
    return this.#fusion;
  }

  /** Bytes its past keeps in memory. */
  get historyBytes(): number {
    return this.#history.bytes;
  }

  /**
   * @returns how many events and markers took effect for the first time
   * @throws {ResumedTooLate} if a late event lies before the state that the run was resumed
   *   from: the whole run would have applied it there
   */
  apply(item: MergedItem, ahead: AheadFeatures): number {
    return item.kind === "late" ? this.#rewind(item, ahead) : this.#proceed(item, ahead);
  }

  #proceed(item: MergedItem, ahead: AheadFeatures): number {
    if (item.kind !== "tick" && item.kind !== "run" && item.kind !== "marker") return 0;
    this.#history.prepare(this.#fusion.state, item.timeUs);
    for (const range of rangesOf(item)) {
      this.#history.add(range, range.event.kind === "marker" ? undefined : ahead.get(range.event));
    }
    const events = this.#fusion.apply(item, ahead);
    this.#history.settle(endUs(item));
    return events;
  }

  #rewind({ stream, range }: LateEvents, ahead: AheadFeatures): number {
    const { event, from, to, priority } = range;
    this.#checkResumable(timeAt(event, to - 1));
    let first = from;
    while (first < to && timeAt(event, first) < this.#history.oldestUs) first++;
    if (first > from) this.#drop({ ...range, to: first });
    if (first === to) return 0;
    const { applied, predictions } = this.#history.takeBack(
      this.#fusion.state,
      timeAt(event, first),
    );
    this.#revisions = new PredictionRevisions(predictions);
    const features = new Map(ahead);
    const order = new EventOrder(stream, (item) => this.#proceed(item, features));
    for (const past of applied) {
      const { event: item, ...at } = past.range;
      if (past.features !== undefined) features.set(item as SensorEvent, past.features);
      order.push({ item, acknowledge: ignore }, at.priority, at.from, at.to);
    }
    order.push({ item: event, acknowledge: ignore }, priority, first, to);
    order.emitUntil(Number.POSITIVE_INFINITY);
    this.#retract(this.#revisions);
    return to - first;
  }

  #checkResumable(lateUs: TimeUs): void {
    if (lateUs >= this.#resumedUs || lateUs < this.#history.horizonStartUs) return;
    throw new ResumedTooLate(lateUs, this.#resumedUs);
  }

  #hear(predictions: readonly Prediction[]): void {
    const news: Prediction[] = [];
    for (const each of predictions) {
      const { prediction, isNews } = this.#revisions?.revise(each) ?? {
        prediction: each,
        isNews: true,
      };
      this.#history.addPrediction(prediction);
      if (isNews) news.push(prediction);
    }
    if (news.length > 0) this.#say(news);
  }

  #retract(revisions: PredictionRevisions): void {
    this.#revisions = undefined;
    for (const { prediction, isNews } of revisions.retractions()) {
      this.#history.addRetraction(prediction);
      if (isNews) this.#say([prediction]);
    }
  }

  /** The session is over: heads that speak last, speak. */
  end(): void {
    this.#fusion.end();
  }
}

function ignore(): void {
  // What is applied again was acknowledged when it was applied first.
}

function rangesOf(item: Tick | Run | MergedMarker): readonly EventRange<SensorEvent | Marker>[] {
  switch (item.kind) {
    case "tick":
      return item.ranges;
    case "run":
      return [item.range];
    case "marker":
      return [{ event: item.marker, from: 0, to: 1, priority: -1 }];
  }
}

/** Time of the last event of an item. */
function endUs(item: MergedItem): TimeUs {
  return item.kind === "run" ? timeAt(item.range.event, item.range.to - 1) : item.timeUs;
}
