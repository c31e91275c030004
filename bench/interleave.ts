import { setTimeout as sleep } from "node:timers/promises";

/** One way to do the work that a round compares. */
export interface Variant {
  readonly name: string;
  /** Events one call of `run` handles. */
  readonly events: number;
  run(): void | Promise<void>;
}

/** Rounds that are run first and not counted. */
export const warmUpRounds = 3;

export type Clock = "cpu" | "wall";

/** ns per event of each round, by variant. */
export interface Timings {
  readonly cpu: ReadonlyMap<string, readonly number[]>;
  readonly wall: ReadonlyMap<string, readonly number[]>;
}

/** Median and quartiles. */
export interface Spread {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Runs all variants once a round, every second round in the opposite order, so that what disturbs
 * the machine disturbs them alike. The first rounds are not counted: they warm up.
 *
 * CPU time counts all threads, the engine's compiler and collector included, but not the time in
 * which others had the core.
 */
export async function interleave(variants: readonly Variant[], rounds: number): Promise<Timings> {
  const cpu = new Map(variants.map(({ name }) => [name, [] as number[]]));
  const wall = new Map(variants.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const order = round % 2 === 0 ? variants : variants.toReversed();
    for (const { name, events, run } of order) {
      await quiesce();
      const wallStart = process.hrtime.bigint();
      const cpuStart = process.cpuUsage();
      const pending = run();
      if (pending !== undefined) await pending;
      const { user, system } = process.cpuUsage(cpuStart);
      const elapsed = Number(process.hrtime.bigint() - wallStart);
      if (round < warmUpRounds) continue;
      cpu.get(name)?.push(((user + system) * 1000) / events);
      wall.get(name)?.push(elapsed / events);
    }
  }
  return { cpu, wall };
}

const QUIET_SHARE = 0.1;
const MOST_NAPS = 200;

/**
 * Waits until no thread of this process works any longer: the threads of onnxruntime go on spinning
 * for a while after a run, the engine goes on compiling and collecting, and the CPU time of all of
 * them would be put down to the next variant.
 */
async function quiesce(): Promise<void> {
  for (let nap = 0; nap < MOST_NAPS; nap++) {
    const cpuStart = process.cpuUsage();
    const wallStart = performance.now();
    await sleep(2);
    const { user, system } = process.cpuUsage(cpuStart);
    if (user + system < QUIET_SHARE * 1000 * (performance.now() - wallStart)) return;
  }
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { value: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Spread of the ratio of two variants within each round. */
export function ratioOf(timings: Timings, above: string, below: string, clock: Clock): Spread {
  const numerators = timings[clock].get(above) ?? [];
  const denominators = timings[clock].get(below) ?? [];
  return spread(numerators.map((value, round) => value / (denominators[round] ?? Number.NaN)));
}
