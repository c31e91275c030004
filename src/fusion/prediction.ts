import type { TimeUs } from "../sensors/time.ts";
import type { OutputRole } from "./spec/graph-spec.ts";

/** What a head said about a stream at a moment. */
export interface Prediction {
  readonly stream: string;
  readonly head: string;
  readonly role: OutputRole;
  /** Event time of the tick, or of the marker that asked for it. */
  readonly timeUs: TimeUs;
  /** Ticks of the stream so far, this one included. */
  readonly tick: number;
  /** True if nothing below the head changed since its last prediction (spec D9). */
  readonly held: boolean;
  /** Probabilities, a regression, or π, μ, σ of a mixture. */
  readonly values: readonly number[];
  /**
   * Of a mixture that predicts a sensor, where the tick has an event of it: how surprising that was,
   * −ln p under what the head had said before; the largest of several events.
   */
  readonly score?: number;
  /** Most probable class of a softmax head. */
  readonly label?: string;
  /** Per sensor: time since its last event, µs; absent before its first (spec D3, D21). */
  readonly ageUs: Readonly<Record<string, number>>;
  /**
   * How often late events have changed what this head said at this time; absent the first time.
   * The highest revision counts.
   */
  readonly revision?: number;
  /** True where, with the late events, the head would have said nothing at this time. */
  readonly retracted?: true;
}
