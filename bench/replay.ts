import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareModel } from "../src/cli/load-model.ts";
import type { FusionModel } from "../src/fusion/fusion-model.ts";
import type { Preset } from "../src/fusion/presets/presets.ts";
import { runPipeline } from "../src/streams/pipeline.ts";
import { openRecording } from "../src/streams/replay/recording-reader.ts";
import { replaySource } from "../src/streams/replay/replay-source.ts";
import type { Sink } from "../src/streams/sink.ts";
import {
  type Clock,
  interleave,
  type Spread,
  spread,
  type Timings,
  type Variant,
} from "./interleave.ts";
import { writeLongRecording } from "./long-recording.ts";
import { replayGraphs, replayModel, writeReplayModel } from "./replay-graphs.ts";
import type { Report } from "./report.ts";

const seconds = 60;
const rounds = 5;
/** Long enough that opening the recording is little beside it. */
const frameworkSeconds = 600;
/** Replays of the framework alone in one process, and how many processes in turn. */
const frameworkReplays = 14;
const frameworkProcesses = 3;

async function modelOf(preset: Preset): Promise<FusionModel> {
  const options = { kernel: "auto", encoder: "auto" } as const;
  return prepareModel(replayModel(preset), options, console.error);
}

/** The model with its video encoder replaced by one that does nothing. */
function withoutCnn(model: FusionModel): FusionModel {
  const encoders = model.encoders.map((encoder, i) => {
    if (model.graph.sensors[i]!.spec.kind !== "video") return encoder;
    const { name, size, validate } = encoder;
    return { mode: "direct" as const, name, size, validate, encode: () => undefined };
  });
  return { ...model, encoders };
}

const nothing: Sink = { write: () => undefined, close: async () => undefined };

async function replay(path: string, model: FusionModel): Promise<void> {
  const recording = await openRecording(path);
  await runPipeline({
    source: replaySource(recording, { order: "received", inFlightMax: 32_768 }),
    model,
    sink: nothing,
    merge: () => ({
      sensors: model.graph.sensors.map(({ spec }) => ({ name: spec.name, latenessUs: 0 })),
      waitingMax: 16_384,
    }),
    onMalformed: "fail",
  });
  await recording.close();
}

/**
 * A replay from MCAP bytes to predictions, in one thread: per event, and as a multiple of real time.
 * `lip` is the graph of which 3,140 × real time was derived: without head and CNN.
 */
export async function benchReplay(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "polyphase-bench-"));
  const path = join(folder, "long.mcap");
  try {
    const events = await writeLongRecording(path, seconds);
    const variants: Variant[] = [];
    for (const name of ["grid", "grid-gated", "lip"] as const) {
      const model = await modelOf(replayGraphs[name]);
      const bare = withoutCnn(model);
      variants.push({ name, events, run: () => replay(path, bare) });
      variants.push({ name: `${name}+cnn`, events, run: () => replay(path, model) });
    }
    const timings = await interleave(variants, rounds);
    for (const clock of ["cpu", "wall"] as const) {
      report.rowsOf(timings, "replay", clock);
      for (const { name } of variants) {
        report.ratio(`real-time-${clock}:${name}`, realTime(timings, name, clock, events));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * What is left without a graph to speak of, per event; `-unpacked`: without zstd. In processes of
 * their own and built, as replays are: the sources run here through a loader, and beside other graphs.
 */
export async function benchReplayFramework(report: Report): Promise<void> {
  if (!existsSync("dist")) {
    console.log("no dist: npm run build");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "polyphase-bench-"));
  try {
    await compareFramework(report, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compareFramework(report: Report, folder: string): Promise<void> {
  const files = {
    framework: join(folder, "packed.mcap"),
    "framework-unpacked": join(folder, "unpacked.mcap"),
  };
  await writeLongRecording(files.framework, frameworkSeconds);
  await writeLongRecording(files["framework-unpacked"], frameworkSeconds, { compression: "none" });
  const model = await writeReplayModel(folder, "framework");
  const timingsOf = () => new Map(Object.keys(files).map((name) => [name, [] as number[]]));
  const timings = { cpu: timingsOf(), wall: timingsOf() };
  for (let run = 0; run < frameworkProcesses; run++) {
    for (const [name, file] of Object.entries(files)) {
      const args = ["bench/replay-framework.mjs", model, file, String(frameworkReplays)];
      const figures = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
      timings.cpu.get(name)!.push(...figures.cpu);
      timings.wall.get(name)!.push(...figures.wall);
    }
  }
  report.rowsOf(timings, "replay", "cpu");
  report.rowsOf(timings, "replay", "wall");
}

/** Seconds of the recording that a second replays. */
function realTime(timings: Timings, name: string, clock: Clock, events: number): Spread {
  const figures = timings[clock].get(name) ?? [];
  return spread(figures.map((nsPerEvent) => (seconds * 1e9) / (nsPerEvent * events)));
}
