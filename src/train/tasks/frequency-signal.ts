import type { Random } from "../../sensors/random.ts";
import type { TimeUs } from "../../sensors/time.ts";

/** When a signal is sampled: at a fixed step, or at random moments. */
export type Sampling = "1ms" | "0.1ms" | "async";

/** Periods of the sines of a target, ms; one range for each sine. */
export type TargetPeriods = readonly (readonly [from: number, to: number])[];

export const oneSine: TargetPeriods = [[5, 6]];
export const twoSines: TargetPeriods = [
  [5, 6],
  [13, 15],
];

const periodMsMax = 100;
const windowMs = 125;
const samplesMin = 15;

/** Most samples a signal can have. */
export function samplesMax(sampling: Sampling): number {
  return sampling === "0.1ms" ? windowMs * 10 + 1 : windowMs + 1;
}

/**
 * Periods of a signal, ms: of a target uniform in its ranges, else log-uniform from 1 to 100 and
 * not all inside them (generator of the authors' released code).
 */
export function drawPeriods(random: Random, target: TargetPeriods, isTarget: boolean): number[] {
  if (isTarget) return target.map(([from, to]) => from + (to - from) * random.uniform());
  for (;;) {
    const periods = target.map(() => Math.exp(Math.log(periodMsMax) * random.uniform()));
    if (periods.some((period, i) => period < target[i]![0] || period > target[i]![1])) {
      return periods;
    }
  }
}

/**
 * Sample times of one signal, whole µs, ascending: 15 to 125 ms long, somewhere inside 125 ms,
 * with 15 to 125 samples where they are asynchronous.
 */
export function drawSampleTimes(random: Random, sampling: Sampling): TimeUs[] {
  const range = windowMs - samplesMin;
  const durationMs = samplesMin + range * random.uniform();
  const startMs = (windowMs - durationMs) * random.uniform();
  if (sampling === "async") {
    const count = Math.floor(samplesMin + (range + 1) * random.uniform());
    const times = new Float64Array(count);
    for (let j = 0; j < count; j++) {
      times[j] = Math.round(1000 * (startMs + durationMs * random.uniform()));
    }
    return Array.from(times.sort());
  }
  const stepUs = sampling === "1ms" ? 1000 : 100;
  const count = Math.floor((durationMs * 1000) / stepUs);
  const startUs = Math.round(startMs * 1000);
  return Array.from({ length: count }, (_, j) => startUs + j * stepUs);
}

/** A sum of unit sines of random phase, as a function of time. */
export function drawSignal(
  random: Random,
  periodsMs: readonly number[],
): (timeUs: TimeUs) => number {
  const waves = periodsMs.map((period) => ({
    radiansPerUs: (2 * Math.PI) / (period * 1000),
    offset: 2 * Math.PI * random.uniform(),
  }));
  return (timeUs) =>
    waves.reduce((sum, wave) => sum + Math.sin(wave.radiansPerUs * timeUs + wave.offset), 0);
}
