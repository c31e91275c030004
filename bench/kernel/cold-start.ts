import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { spread } from "../interleave.ts";
import type { Report } from "../report.ts";
import type { ColdStart } from "./cold-process.ts";

const PROCESSES = 15;

/** Loading and the first events of a layer, each time in a new process. */
export async function benchColdStart(report: Report): Promise<void> {
  const file = fileURLToPath(new URL("cold-process.ts", import.meta.url));
  const starts = Array.from({ length: PROCESSES }, (): ColdStart => {
    const line = execFileSync(process.execPath, ["--import", "tsx", file], { encoding: "utf8" });
    return JSON.parse(line);
  });
  const over = (field: keyof ColdStart) => spread(starts.map((start) => start[field]));
  report.row("load", "ms", over("loadMs"));
  report.row("pre-warm", "ms", over("preWarmMs"));
  const both = starts.map(({ loadMs, preWarmMs }) => loadMs + preWarmMs);
  report.row("load-and-pre-warm", "ms", spread(both));
  report.row("first-layer:40x110", "ms", over("firstLayerMs"));
  report.row("first-event:40x110", "µs", over("firstUs"));
  report.row("events-2-to-100:40x110", "µs/event", over("next99Us"));
  report.row("events-1001-to-1200:40x110", "µs/event", over("laterUs"));
  report.row("event-after-10-ms:40x110", "µs", over("pausedUs"));
  const first = starts.map(({ firstUs, pausedUs }) => firstUs / pausedUs);
  report.ratio("first-event-vs-after-10-ms:40x110", spread(first));
  const early = starts.map(({ next99Us, laterUs }) => next99Us / laterUs);
  report.ratio("events-2-to-100-vs-later:40x110", spread(early));
}
