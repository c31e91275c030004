// Time per MFCC vector (CPU time), whole path from int16 samples to 39 coefficients.
// Run: npx tsx bench/mfcc.ts. Goal: <= 30 µs per vector. Prints one JSON line.
import { createMfccVector, MfccStream } from "../src/sensors/audio/mfcc-stream.ts";
import { resampleWhole } from "../src/sensors/audio/resampler.ts";
import { Random } from "../src/sensors/random.ts";

const seconds = 20;
const rounds = 15;
const random = new Random(1);
const signal = Int16Array.from({ length: seconds * 16_000 }, () => random.below(20_000) - 10_000);
const signal48 = Int16Array.from({ length: 48_000 }, () => random.below(20_000) - 10_000);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** CPU time of this process, so that what else the machine does counts less. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function usPerVector(): number {
  const mfcc = new MfccStream();
  const vector = createMfccVector();
  let vectors = 0;
  const start = cpuUs();
  for (let from = 0; from < signal.length; from += 160) {
    mfcc.push(signal.subarray(from, from + 160));
    while (mfcc.next(vector)) vectors += 1;
  }
  return (cpuUs() - start) / vectors;
}

function timesRealTime(): number {
  const start = cpuUs();
  resampleWhole(signal48, 48_000);
  return 1e6 / (cpuUs() - start);
}

const runs = Array.from({ length: rounds }, usPerVector);
const resampling = Array.from({ length: rounds }, timesRealTime);
console.log(
  JSON.stringify({
    bench: "mfcc",
    usPerVector: Number(median(runs).toFixed(2)),
    timesRealTime: Math.round(10_000 / median(runs)),
    resample48kTimesRealTime: Math.round(median(resampling)),
  }),
);
