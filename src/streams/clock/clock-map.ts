import type { TimeUs } from "../../sensors/time.ts";

/**
 * How a sensor's time becomes event time, from one moment of the sensor's clock on: a straight line
 * of slope `slewRate` that pulls the mapped time to where it should be, then one of slope `rate`.
 *
 * Plain JSON: recorded as it is, and a replay maps with what was recorded.
 */
export interface ClockMap {
  /** Counts up by one per map of the sensor. */
  readonly version: number;
  /** Sensor time from which on the map holds, and what it is mapped to. */
  readonly fromUs: TimeUs;
  readonly mappedUs: number;
  /** Slope until `slewUntilUs`, > 0. */
  readonly slewRate: number;
  readonly slewUntilUs: TimeUs;
  /** Slope from then on, > 0: event time per sensor time. */
  readonly rate: number;
}

/** Event time of a sensor time, before rounding. It never falls while `sensorUs` rises. */
export function mapClock(map: ClockMap, sensorUs: TimeUs): number {
  const { fromUs, mappedUs, slewRate, slewUntilUs, rate } = map;
  // Before the map's beginning the slew is none of its business.
  if (sensorUs < fromUs) return mappedUs + (sensorUs - fromUs) * rate;
  if (sensorUs <= slewUntilUs) return mappedUs + (sensorUs - fromUs) * slewRate;
  return mappedUs + (slewUntilUs - fromUs) * slewRate + (sensorUs - slewUntilUs) * rate;
}
