// Benchmarks, side by side in one process. npm run bench -- [--filter NAME] [--json FILE]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchAddresses } from "./kernel/addresses.ts";
import { benchColdStart } from "./kernel/cold-start.ts";
import { benchDrift } from "./kernel/drift.ts";
import { benchGrowth } from "./kernel/growth.ts";
import { benchLatency } from "./kernel/latency.ts";
import { benchOpenFraction } from "./kernel/open-fraction.ts";
import { benchStep } from "./kernel/step.ts";
import { benchStreams } from "./kernel/streams.ts";
import { benchWorkers } from "./kernel/workers.ts";
import { benchReplay, benchReplayFramework } from "./replay.ts";
import { benchReplayParallel } from "./replay-parallel.ts";
import { Report } from "./report.ts";
import { benchFrames } from "./train/frames.ts";
import { benchTrainStep } from "./train/step.ts";

const suites: Readonly<Record<string, (report: Report) => Promise<void>>> = {
  "kernel-cold-start": benchColdStart,
  "kernel-latency": benchLatency,
  "kernel-step": benchStep,
  "kernel-open-fraction": benchOpenFraction,
  "kernel-drift": benchDrift,
  "kernel-growth": benchGrowth,
  "kernel-streams": benchStreams,
  "kernel-workers": benchWorkers,
  "kernel-addresses": benchAddresses,
  "train-step": benchTrainStep,
  "train-frames": benchFrames,
  replay: benchReplay,
  "replay-framework": benchReplayFramework,
  "replay-parallel": benchReplayParallel,
};

const { values } = parseArgs({
  options: { filter: { type: "string", default: "" }, json: { type: "string" } },
});
const report = new Report();
console.log(JSON.stringify(report.machine));
for (const [name, run] of Object.entries(suites)) {
  if (!name.includes(values.filter)) continue;
  console.log(`\n${name}`);
  await run(report);
}
const { machine, rows, ratios } = report;
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ machine, rows, ratios }, null, 2)}\n`);
}
