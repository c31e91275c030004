import { PolyphaseError } from "../../../polyphase-error.ts";

/**
 * Longest step between two TIME_HIGH words, µs. Cameras repeat the word all the time; within a
 * second a decoder can neither mistake a pause for a discontinuity nor miss a wrap.
 */
const stepUsMax = 999_424;
const gapUsMax = 86_400_000_000;

/**
 * Times to write as TIME_HIGH so that the clock gets from `fromUs` to `toUs`, the last being
 * `toUs`. All are multiples of `unitUs`.
 *
 * @param fromUs time of the last TIME_HIGH written; −∞ if there is none
 * @param unitUs µs of one TIME_HIGH
 * @throws {PolyphaseError} BAD_DATA if time goes backward or forward by more than a day
 */
export function timeHighSteps(fromUs: number, toUs: number, unitUs: number): number[] {
  const target = Math.floor(toUs / unitUs) * unitUs;
  if (fromUs === Number.NEGATIVE_INFINITY) return [target];
  if (!(target >= fromUs && target - fromUs <= gapUsMax)) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot encode EVT words: time must go forward by at most a day, got ${fromUs} µs, then ${toUs} µs`,
    );
  }
  const steps: number[] = [];
  const stepUs = Math.floor(stepUsMax / unitUs) * unitUs;
  for (let at = fromUs + stepUs; at < target; at += stepUs) steps.push(at);
  if (target > fromUs) steps.push(target);
  return steps;
}
