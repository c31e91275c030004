import type { FloatArray } from "../../cells/kernels/kernel.ts";
import { createFusionSnapshot, type FusionSnapshot } from "../../fusion/fusion-snapshot.ts";
import type { FusionState } from "../../fusion/fusion-state.ts";
import type { Prediction } from "../../fusion/prediction.ts";
import type { Marker, SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { itemBytes } from "../merge/item-extent.ts";
import type { EventRange } from "../merge/merged-item.ts";
import type { RewindLimits } from "./late-policy.ts";

/** States that a horizon is cut into: what a rewind applies again is at most this part too much. */
const segmentsPerHorizon = 16;
/** One prediction in memory, beside its values: a round estimate. */
const predictionBytes = 512;

/** Events of one item that were applied, with the features a slow encoder computed for them. */
export interface AppliedEvents {
  readonly range: EventRange<SensorEvent | Marker>;
  readonly features: FloatArray | undefined;
}

/** A state, and what was applied to it and said since. */
interface Segment {
  readonly snapshot: FusionSnapshot;
  /** Latest time applied before; −∞ at a stream's beginning. */
  readonly beforeUs: TimeUs;
  readonly firstUs: TimeUs;
  readonly applied: AppliedEvents[];
  readonly predictions: Prediction[];
  bytes: number;
}

/** What was applied and said since a past state, which has been restored. */
export interface TakenBack {
  readonly applied: readonly AppliedEvents[];
  readonly predictions: readonly Prediction[];
}

/** One stream's latest past: as long and as large as its limits allow. */
export class FusionHistory {
  readonly #limits: RewindLimits;
  readonly #segments: Segment[] = [];
  readonly #spare: FusionSnapshot[] = [];
  /** Of the newest segment: the last entry of each sensor, by priority. */
  readonly #lastOf = new Map<number, number>();
  #newestUs: TimeUs = Number.NEGATIVE_INFINITY;
  #bytes = 0;

  constructor(limits: RewindLimits) {
    this.#limits = limits;
  }

  /** Bytes it keeps in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Events before this time cannot be applied any more. */
  get oldestUs(): TimeUs {
    const beforeUs = this.#segments[0]?.beforeUs ?? Number.NEGATIVE_INFINITY;
    return Math.max(beforeUs + 1, this.horizonStartUs);
  }

  /** Events before this time are of no interest any more. */
  get horizonStartUs(): TimeUs {
    return this.#newestUs - this.#limits.horizonUs;
  }

  /** Keeps `state` where it is time to; called before anything of `timeUs` is applied to it. */
  prepare(state: FusionState, timeUs: TimeUs): void {
    const newest = this.#segments.at(-1);
    const { horizonUs, horizonBytesMax } = this.#limits;
    const isDue =
      newest === undefined ||
      timeUs - newest.firstUs >= horizonUs / segmentsPerHorizon ||
      newest.bytes - newest.snapshot.bytes >= horizonBytesMax / segmentsPerHorizon;
    if (!isDue) return;
    const snapshot = this.#spare.pop() ?? createFusionSnapshot(state);
    snapshot.take(state);
    this.#segments.push({
      snapshot,
      beforeUs: this.#newestUs,
      firstUs: timeUs,
      applied: [],
      predictions: [],
      bytes: 0,
    });
    this.#lastOf.clear();
    this.#grow(snapshot.bytes);
  }

  /** Notes what is applied; `prepare` has been called for it. */
  add(range: EventRange<SensorEvent | Marker>, features: FloatArray | undefined): void {
    const { applied } = this.#segments.at(-1)!;
    const last = this.#lastOf.get(range.priority);
    const before = last === undefined ? undefined : applied[last]!.range;
    // A packet that other sensors' events cut into pieces stays one entry.
    if (before !== undefined && before.event === range.event && before.to === range.from) {
      applied[last!] = { range: { ...before, to: range.to }, features };
      return;
    }
    this.#lastOf.set(range.priority, applied.length);
    applied.push({ range, features });
    this.#grow(itemBytes(range.event) + (features?.byteLength ?? 0));
  }

  /** Notes what is said about what was added last. */
  addPrediction(prediction: Prediction): void {
    this.#keep(prediction, this.#segments.at(-1)!);
  }

  /** Notes what is not said any more, as long as it might be said again. */
  addRetraction(retraction: Prediction): void {
    const at = Math.max(0, this.#segmentBefore(retraction.timeUs));
    this.#keep(retraction, this.#segments[at]!);
  }

  #keep(prediction: Prediction, segment: Segment): void {
    segment.predictions.push(prediction);
    this.#grow(predictionBytes + 8 * prediction.values.length, segment);
  }

  /** All up to `timeUs` has been applied: forgets what has left the horizon or has no room. */
  settle(timeUs: TimeUs): void {
    this.#newestUs = Math.max(this.#newestUs, timeUs);
    const horizonStartUs = this.#newestUs - this.#limits.horizonUs;
    while (this.#segments.length > 1) {
      const isOutside = this.#segments[1]!.beforeUs < horizonStartUs;
      if (!isOutside && this.#bytes <= this.#limits.horizonBytesMax) return;
      this.#release(this.#segments.shift()!);
    }
  }

  /** Brings `state` back to the last kept one before `timeUs`, which is at least `oldestUs`. */
  takeBack(state: FusionState, timeUs: TimeUs): TakenBack {
    const taken = this.#segments.splice(this.#segmentBefore(timeUs));
    const [first] = taken;
    if (first === undefined) return { applied: [], predictions: [] };
    first.snapshot.restore(state);
    this.#newestUs = first.beforeUs;
    this.#lastOf.clear();
    for (const segment of taken) this.#release(segment);
    return {
      applied: taken.flatMap(({ applied }) => applied),
      predictions: taken.flatMap(({ predictions }) => predictions),
    };
  }

  /** The last segment that begins before anything of `timeUs`; −1 if there is none. */
  #segmentBefore(timeUs: TimeUs): number {
    let at = this.#segments.length - 1;
    while (at >= 0 && this.#segments[at]!.beforeUs >= timeUs) at--;
    return at;
  }

  #grow(bytes: number, segment: Segment = this.#segments.at(-1)!): void {
    segment.bytes += bytes;
    this.#bytes += bytes;
  }

  #release({ snapshot, bytes }: Segment): void {
    this.#bytes -= bytes;
    if (this.#spare.length < segmentsPerHorizon) this.#spare.push(snapshot);
  }
}
