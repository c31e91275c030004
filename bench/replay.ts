import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareModel } from "../src/cli/load-model.ts";
import type { FusionModel } from "../src/fusion/fusion-model.ts";
import { type Preset, presets } from "../src/fusion/presets/presets.ts";
import { type OscillatorRange, seededWeights } from "../src/fusion/presets/seeded-weights.ts";
import type { GraphSpec } from "../src/fusion/spec/graph-spec.ts";
import { Random } from "../src/sensors/random.ts";
import { storedModel } from "../src/state/model-directory.ts";
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
import type { Report } from "./report.ts";

const seconds = 60;
const rounds = 5;
/** The framework alone takes so little that it is run as often as this in a round. */
const frameworkTimes = 4;
const grid = presets["grid"]!;
const gated: OscillatorRange = { periodUs: [10_000, 1_000_000], openRatio: 0.05 };

/** One unit per sensor and a head that speaks once, at the end: what is left is the framework. */
const framework: Preset = {
  spec: {
    ...grid.spec,
    layers: grid.spec.sensors.map(({ name }) => ({
      ...{ name: `${name}-lstm`, cell: "phased-lstm", units: 1, inputs: [name] },
      ...{ merge: "concat", onSilence: "hold", gate: { mode: "own-event" } },
    })),
    heads: [
      { name: "x", type: "softmax", inputs: ["audio-lstm"], labels: ["a", "b"], output: "last" },
    ],
  },
  oscillators: {},
};

/** Every layer behind phase gates that are open for a twentieth of the time. */
function allGated({ spec }: Preset): Preset {
  const layers = spec.layers.map((layer) => ({ ...layer, gate: { mode: "phase" as const } }));
  const oscillators = Object.fromEntries(layers.map(({ name }) => [name, gated]));
  return { spec: { ...spec, layers }, oscillators };
}

/** One merge layer, and nothing is read out before the end. */
function oneMerge({ spec, oscillators }: Preset): Preset {
  const [audio, video, merge] = spec.layers;
  const heads = spec.heads.map((head) => {
    return { ...head, inputs: [merge!.name], output: "last" } as GraphSpec["heads"][number];
  });
  return { spec: { ...spec, layers: [audio!, video!, merge!], heads }, oscillators };
}

const graphs: Readonly<Record<string, Preset>> = {
  framework,
  grid,
  "grid-gated": allGated(grid),
  lip: oneMerge(allGated(grid)),
};

async function modelOf({ spec, oscillators }: Preset): Promise<FusionModel> {
  const stored = storedModel(spec, seededWeights(spec, oscillators, new Random(1)), undefined);
  return prepareModel(stored, { kernel: "auto", encoder: "auto" }, console.error);
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
 * `framework` is what is left without a graph to speak of (`-unpacked`: without zstd); `lip` the graph of which 3,140 × real time
 * was derived: without head and CNN.
 */
export async function benchReplay(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "polyphase-bench-"));
  const path = join(folder, "long.mcap");
  try {
    const events = await writeLongRecording(path, seconds);
    const unpacked = join(folder, "unpacked.mcap");
    await writeLongRecording(unpacked, seconds, { compression: "none" });
    const variants: Variant[] = [];
    for (const [name, preset] of Object.entries(graphs)) {
      const model = await modelOf(preset);
      const bare = withoutCnn(model);
      if (name === "framework") {
        variants.push(often(name, events, () => replay(path, bare)));
        variants.push(often("framework-unpacked", events, () => replay(unpacked, bare)));
        continue;
      }
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

function often(name: string, events: number, once: () => Promise<void>): Variant {
  const run = async (): Promise<void> => {
    for (let i = 0; i < frameworkTimes; i++) await once();
  };
  return { name, events: frameworkTimes * events, run };
}

/** Seconds of the recording that a second replays. */
function realTime(timings: Timings, name: string, clock: Clock, events: number): Spread {
  const figures = timings[clock].get(name) ?? [];
  return spread(figures.map((nsPerEvent) => (seconds * 1e9) / (nsPerEvent * events)));
}
