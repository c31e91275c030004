// Fails if a ratio became worse than bench/baseline.json by more than 15 %.
// npm run bench:compare -- [FILE]; without a file the benchmarks are run first.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ratio } from "./report.ts";

interface Results {
  readonly ratios: readonly Ratio[];
}

const WORSE_MAX = 0.15;
/** Ratios of which less is better: our time over a limit's. All others are gains. */
const costs = ["batch-vs-native", "sparse-vs-open", "growth"];

/** What ratios need that is not everywhere. */
const needs = [
  ["batch-vs-native", "C compiler"],
  ["train-pytorch", "PyTorch"],
] as const;

function read(path: string): Results {
  return JSON.parse(readFileSync(path, "utf8")) as Results;
}

function runBenchmarks(): string {
  const target = join(mkdtempSync(join(tmpdir(), "polyphase-bench-")), "results.json");
  const run = fileURLToPath(new URL("./run.ts", import.meta.url));
  execFileSync(process.execPath, ["--expose-gc", "--import", "tsx", run, "--json", target], {
    stdio: "inherit",
  });
  return target;
}

/** How much worse, as a share of the baseline; negative if better. */
function worsening(name: string, baseline: number, now: number): number {
  const isCost = costs.some((prefix) => name.startsWith(prefix));
  return isCost ? now / baseline - 1 : 1 - now / baseline;
}

const now = new Map(read(process.argv[2] ?? runBenchmarks()).ratios.map((r) => [r.name, r.value]));
for (const { name, value } of read(fileURLToPath(new URL("./baseline.json", import.meta.url)))
  .ratios) {
  const current = now.get(name);
  const missing = needs.find(([prefix]) => name.startsWith(prefix))?.[1];
  if (current === undefined && missing !== undefined) {
    console.log(`no ${missing} here for ${name}`);
    continue;
  }
  const worse = current === undefined ? Number.POSITIVE_INFINITY : worsening(name, value, current);
  const isBad = !(worse <= WORSE_MAX);
  if (isBad) process.exitCode = 1;
  const figures = `${value} → ${current ?? "missing"}`;
  console.log(`${isBad ? "WORSE" : "ok   "} ${name.padEnd(34)} ${figures}`);
}
