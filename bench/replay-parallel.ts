import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spread } from "./interleave.ts";
import { writeLongRecording } from "./long-recording.ts";
import type { Report } from "./report.ts";

const seconds = 240;
const rounds = 3;
const program = "dist/cli/main.js";

/** `polyphase replay` of a long recording of a recorder by the clock, start of the program included. */
export async function benchReplayParallel(report: Report): Promise<void> {
  if (!existsSync(program)) {
    console.log(`no ${program}: npm run build`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "polyphase-bench-"));
  const [long, recorded] = [join(folder, "long.mcap"), join(folder, "recorded.mcap")];
  const replay = (path: string, ...options: readonly string[]): number => {
    const startedAt = performance.now();
    const command = [program, "replay", path, "--model", "grid", "--json", ...options];
    execFileSync(process.execPath, command, { stdio: "ignore" });
    return (performance.now() - startedAt) / 1000;
  };
  try {
    await writeLongRecording(long, seconds);
    replay(long, "--record", recorded);
    const factors: Record<string, number[]> = { "1-thread": [], "2-threads": [] };
    for (let round = 0; round < rounds; round++) {
      factors["1-thread"]!.push(seconds / replay(recorded));
      factors["2-threads"]!.push(seconds / replay(recorded, "--parallel", "2"));
    }
    for (const [name, values] of Object.entries(factors)) {
      report.ratio(`real-time-wall:replay-${name}`, spread(values));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
