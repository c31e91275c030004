import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spread } from "./interleave.ts";
import { writeLongRecording } from "./long-recording.ts";
import { codeSize, writeReplayModel } from "./replay-graphs.ts";
import type { Report } from "./report.ts";

const rounds = 3;
const program = "dist/cli/main.js";

/** A recording and what it is replayed with; `lip-codes` has codes of frames instead of frames. */
const runs = [
  { name: "grid", minutes: 4 },
  { name: "lip", minutes: 24 },
  { name: "lip-codes", minutes: 24 },
] as const;

/** So many recordings of 24 minutes, one after the other: where the start of the program is little. */
const longRecordings = 4;

/** Replays in one process, of which the first is not counted. */
const sustainedReplays = 4;

/**
 * `polyphase replay` of long recordings of a recorder by the clock, start of the program included, in
 * one thread (with one beside it for the CNN) and in two; and what goes on at after the start.
 */
export async function benchReplayParallel(report: Report): Promise<void> {
  if (!existsSync(program)) {
    console.log(`no ${program}: npm run build`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "polyphase-bench-"));
  try {
    for (const { name, minutes } of runs) {
      const long = join(folder, `${name}-long.mcap`);
      const recorded = join(folder, `${name}.mcap`);
      const model = await writeReplayModel(folder, name);
      const seconds = 60 * minutes;
      await writeLongRecording(long, seconds, name === "lip-codes" ? { codeSize } : {});
      replay([long], model, "--record", recorded);
      compareThreads(report, name, [recorded], model, seconds);
      if (minutes === 24) {
        const recordings = Array.from({ length: longRecordings }, () => recorded);
        compareThreads(report, `${name}-96`, recordings, model, longRecordings * seconds);
      }
      const { cpu, wall } = replaySustained(recorded, model);
      report.ratio(`real-time-sustained-cpu:${name}`, spread(cpu.map((took) => seconds / took)));
      report.ratio(`real-time-sustained-wall:${name}`, spread(wall.map((took) => seconds / took)));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param seconds of event time in all recordings */
function compareThreads(
  report: Report,
  name: string,
  recordings: readonly string[],
  model: string,
  seconds: number,
): void {
  const factors: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    factors[0].push(seconds / replay(recordings, model));
    factors[1].push(seconds / replay(recordings, model, "--parallel", "2"));
  }
  report.ratio(`real-time-wall:${name}-1-thread`, spread(factors[0]));
  report.ratio(`real-time-wall:${name}-2-threads`, spread(factors[1]));
}

/** Seconds it takes. */
function replay(
  recordings: readonly string[],
  model: string,
  ...options: readonly string[]
): number {
  const startedAt = process.hrtime.bigint();
  const command = [program, "replay", ...recordings, "--model", model, "--json", ...options];
  execFileSync(process.execPath, command, { stdio: "ignore" });
  return Number(process.hrtime.bigint() - startedAt) / 1e9;
}

/** Seconds that each replay takes when the program has warmed up. */
function replaySustained(
  path: string,
  model: string,
): { readonly cpu: readonly number[]; readonly wall: readonly number[] } {
  const args = ["bench/replay-sustained.mjs", model, path, String(sustainedReplays)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}
