import type { DecisionSource, GovernorDecision } from "../../fusion/governor/govern.ts";
import type { Governor } from "../../fusion/governor/governor.ts";

/** A layer of a stream was narrowed or widened: what a control channel records. */
export interface StreamGovernorDecision extends GovernorDecision {
  readonly kind: "governor";
  readonly stream: string;
}

/** The compute budget of each stream of a run. */
export interface Governing {
  readonly governor: Governor;
  /** Default `rule`. */
  readonly source?: DecisionSource;
  /**
   * Told of each change, before anything is computed with it. A rewind takes changes back and may
   * tell others: what it said is then a log, not a recording to follow.
   */
  readonly onDecision?: (decision: StreamGovernorDecision) => void;
}
