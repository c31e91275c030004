/**
 * Everything a decoder can meet that is not as the format says, yet no reason to give up.
 *
 * The first group counts events that were dropped or altered, the second words and packets that
 * were skipped, the third what is odd about the recording as a whole.
 */
const anomalyReasons = [
  "x-out-of-range",
  "y-out-of-range",
  "invalid-event",
  "other-camera",
  "not-change-detection",
  "time-regression",
  "bad-polarity",

  "before-first-time",
  "before-first-address",
  "unknown-word",
  "bad-packet",
  "foreign-packet",

  "time-jump",
  "time-reset",
  "truncated-tail",
  "size-unknown",
  "missing-table",
] as const;

export type AnomalyReason = (typeof anomalyReasons)[number];

/** Counters of a decoder's anomalies, by reason. */
export type AnomalyCounts = Record<AnomalyReason, number>;

/** All counters at zero. */
export function createAnomalyCounts(): AnomalyCounts {
  return Object.fromEntries(anomalyReasons.map((reason) => [reason, 0])) as AnomalyCounts;
}
