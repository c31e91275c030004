/**
 * Event time: whole microseconds as a JS number, exact for 285 years on either side of its origin.
 * Phases, merges and checkpoints all work on this type; it is never rounded to float32 (spec D10).
 */
export type TimeUs = number;

/** True if `value` is a whole, exactly representable number of microseconds. */
export function isTimeUs(value: number): value is TimeUs {
  return Number.isSafeInteger(value);
}
