// What a replay costs: per event from MCAP bytes to the kernel call, and of an audio-visual recording
// end to end. Run: npx tsx bench/replay.ts. Goals: framework <= 5 µs per event; audio, video, CNN and
// the GRID graph >= 300 × real time, without the CNN >= 1000 ×.
// CPU time of the whole process (garbage collection included), medians. Prints one JSON line.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseKernel } from "../src/cells/kernels/choose-kernel.ts";
import { prepareModel, presetModel } from "../src/cli/load-model.ts";
import { createFusionModel, type FusionModel } from "../src/fusion/fusion-model.ts";
import { presets } from "../src/fusion/presets/presets.ts";
import { seededWeights } from "../src/fusion/presets/seeded-weights.ts";
import type { GraphSpec } from "../src/fusion/spec/graph-spec.ts";
import { Random } from "../src/sensors/random.ts";
import type { SensorEvent } from "../src/sensors/sensor-event.ts";
import { NdjsonSink } from "../src/streams/ndjson/ndjson-sink.ts";
import { runPipeline } from "../src/streams/pipeline.ts";
import { createRecording } from "../src/streams/record/recording-writer.ts";
import { openRecording } from "../src/streams/replay/recording-reader.ts";
import { replaySource } from "../src/streams/replay/replay-source.ts";
import type { Sink } from "../src/streams/sink.ts";

const seconds = Number(process.env["SECONDS"] ?? 240);
const rounds = 5;
const scene = "fixtures/scenes/clean-307.mcap";
const sceneUs = 3_000_000;

/** A scene's audio and video over and over, as one long stream; DVS events are left out. */
async function writeLong(path: string): Promise<void> {
  const events: { readonly event: SensorEvent; readonly receivedUs: number }[] = [];
  const short = await openRecording(scene);
  for await (const batch of short.items()) {
    for (const { item, receivedUs } of batch) {
      if (item.kind === "audio" || item.kind === "video") events.push({ event: item, receivedUs });
    }
  }
  await short.close();
  const long = await createRecording(path);
  const seqs: Record<string, number> = {};
  for (let startUs = 0; startUs < seconds * 1e6; startUs += sceneUs) {
    for (const { event, receivedUs } of events) {
      const seq = seqs[event.sensor] ?? 0;
      seqs[event.sensor] = seq + 1;
      const moved = { ...event, stream: "long", seq, timeUs: event.timeUs + startUs };
      if (moved.kind === "audio") moved.availableUs += startUs;
      await long.write(moved, receivedUs + startUs);
    }
  }
  await long.close();
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

/** One unit, and a head that speaks once at the end: what is left is the framework. */
function tinyModel(): FusionModel {
  const { spec: grid } = presets["grid"]!;
  const tiny = { cell: "phased-lstm", units: 1, merge: "concat", onSilence: "hold" } as const;
  const spec: GraphSpec = {
    ...grid,
    layers: grid.sensors.map(({ name }) => {
      return { ...tiny, name: `${name}-lstm`, inputs: [name], gate: { mode: "own-event" } };
    }),
    heads: [
      { name: "x", type: "softmax", inputs: ["audio-lstm"], labels: ["a", "b"], output: "last" },
    ],
  };
  const weights = seededWeights(spec, {}, new Random(1));
  return withoutCnn(createFusionModel(spec, weights, "", chooseKernel("auto").kernel));
}

interface Cost {
  readonly usPerEvent: number;
  readonly realTime: number;
}

async function replay(path: string, model: FusionModel, sink: Sink): Promise<Cost> {
  const recording = await openRecording(path);
  const before = process.cpuUsage();
  const { counts } = await runPipeline({
    source: replaySource(recording, { order: "received", inFlightMax: 32_768 }),
    model,
    sink,
    merge: () => ({
      sensors: model.graph.sensors.map(({ spec }) => ({ name: spec.name, latenessUs: 0 })),
      waitingMax: 16_384,
    }),
    onMalformed: "fail",
  });
  const { user, system } = process.cpuUsage(before);
  await recording.close();
  return {
    usPerEvent: (user + system) / counts.fused,
    realTime: (seconds * 1e6) / (user + system),
  };
}

async function median(path: string, model: FusionModel, sink: () => Sink): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = 0; round < rounds; round++) costs.push(await replay(path, model, sink()));
  return costs.toSorted((a, b) => a.usPerEvent - b.usPerEvent)[rounds >> 1]!;
}

const nothing: Sink = { write: () => undefined, close: async () => undefined };
const folder = mkdtempSync(join(tmpdir(), "polyphase-bench-"));
try {
  const path = join(folder, "long.mcap");
  await writeLong(path);
  const grid = await prepareModel(
    presetModel("grid", 1),
    { kernel: "auto", encoder: "auto" },
    console.error,
  );
  const rounded = (value: number): number => Number(value.toPrecision(3));
  const framework = await median(path, tinyModel(), () => nothing);
  const graphOnly = await median(path, withoutCnn(grid), () => nothing);
  const withCnn = await median(path, grid, () => nothing);
  const ndjson = await median(path, grid, () => new NdjsonSink());
  console.log(
    JSON.stringify({
      bench: "replay",
      frameworkUsPerEvent: rounded(framework.usPerEvent),
      realTimeWithoutCnn: rounded(graphOnly.realTime),
      realTimeWithCnn: rounded(withCnn.realTime),
      realTimeWithCnnAndNdjson: rounded(ndjson.realTime),
    }),
  );
} finally {
  rmSync(folder, { recursive: true });
}
