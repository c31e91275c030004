import type { Random } from "../../sensors/random.ts";
import type { TimeUs } from "../../sensors/time.ts";

/** A moment of a pen: velocity across and up, and the time since the last moment / 10 ms. */
export interface PenEvent {
  readonly timeUs: TimeUs;
  readonly values: Float32Array;
  /** Whether the velocity shown is not the pen's. */
  readonly isAnomaly: boolean;
}

export const penEvents = 200;
const intervalUs: readonly [number, number] = [4_000, 24_000];
/** Longest that a stroke can last. */
export const penRecordingUs: number = penEvents * intervalUs[1];
const turnUs = 150_000;
const noise = 0.05;

/**
 * A pen that draws loops of changing size and sense, looked at at irregular moments. An anomaly is a
 * glitch of the sensor: the velocity of that moment, turned by 50 to 130 degrees; as a vector alone
 * it is one that the pen often has.
 *
 * @param anomalies share of events that are
 */
export function drawPen(random: Random, anomalies: number): PenEvent[] {
  let heading = 2 * Math.PI * random.uniform();
  let turn = 1;
  let speed = 1;
  let timeUs = 0;
  const sense = random.below(2) === 0 ? 1 : -1;
  return Array.from({ length: penEvents }, () => {
    const [shortest, longest] = intervalUs;
    const dtUs = shortest + random.below(longest - shortest);
    timeUs += dtUs;
    turn += 0.15 * random.normal() + 0.1 * (1 - turn);
    speed += 0.1 * random.normal() + 0.1 * (1 - speed);
    heading += (sense * turn * 2 * Math.PI * dtUs) / turnUs;
    const isAnomaly = random.uniform() < anomalies;
    const side = random.below(2) === 0 ? 1 : -1;
    const glitch = ((50 + 80 * random.uniform()) * Math.PI * side) / 180;
    const shown = heading + (isAnomaly ? glitch : 0);
    const values = Float32Array.of(
      speed * Math.cos(shown) + noise * random.normal(),
      speed * Math.sin(shown) + noise * random.normal(),
      dtUs / 10_000,
    );
    return { timeUs, values, isAnomaly };
  });
}
