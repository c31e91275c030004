/**
 * What becomes of an event whose time is over.
 *
 * - `drop`: it is counted and handed to the side output.
 * - `rewind`: the state goes back to before it and everything since is applied again, so that the
 *   result is that of the same events in order. An event older than the horizon is dropped.
 * - `apply-late`: its units open by its own time, on a state that has moved on. An approximation.
 */
export type LatePolicy =
  | { readonly policy: "drop" }
  | ({ readonly policy: "rewind" } & RewindLimits)
  | { readonly policy: "apply-late" };

/** How far back a rewind may go. */
export interface RewindLimits {
  /** Event time before a stream's latest. */
  readonly horizonUs: number;
  /** Memory for the events, states and predictions of one stream's horizon. */
  readonly horizonBytesMax: number;
}
