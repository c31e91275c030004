import { join } from "node:path";
import { convEncoderOnnx } from "../src/backends/onnx/conv-encoder-onnx.ts";
import { convStages } from "../src/fusion/encoders/conv-frame-encoder.ts";
import { type Preset, presets } from "../src/fusion/presets/presets.ts";
import { type OscillatorRange, seededWeights } from "../src/fusion/presets/seeded-weights.ts";
import type { GraphSpec } from "../src/fusion/spec/graph-spec.ts";
import { Random } from "../src/sensors/random.ts";
import {
  type StoredModel,
  storedModel,
  writeModelDirectory,
} from "../src/state/model-directory.ts";

/** Numbers of a frame's code. */
export const codeSize = 64;

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
      {
        ...{ name: "x", type: "softmax", inputs: ["audio-lstm", "video-lstm"] },
        ...{ labels: ["a", "b"], output: "last" },
      },
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

/** The same graph where codes of frames come instead of frames. */
function withoutFrames({ spec, oscillators }: Preset): Preset {
  const sensors = spec.sensors.map((sensor): GraphSpec["sensors"][number] => {
    if (sensor.kind !== "video") return sensor;
    const { name } = sensor;
    return { name, kind: "scalar", size: codeSize, convention: "", mean: [], deviation: [] };
  });
  return { spec: { ...spec, sensors }, oscillators };
}

const lip = oneMerge(allGated(grid));

/** The graphs that replays are timed with. */
export const replayGraphs: Readonly<
  Record<"framework" | "grid" | "grid-gated" | "lip" | "lip-codes", Preset>
> = {
  framework,
  grid,
  "grid-gated": allGated(grid),
  lip,
  "lip-codes": withoutFrames(lip),
};

/** A graph with seeded weights, and its video encoder as ONNX. */
export function replayModel({ spec, oscillators }: Preset): StoredModel {
  const weights = seededWeights(spec, oscillators, new Random(1));
  const video = spec.sensors.find((sensor) => sensor.kind === "video");
  const onnx = video && convEncoderOnnx(video.width, video.height, convStages(video, weights));
  return storedModel(spec, weights, onnx);
}

/** Writes the model of a graph; returns its directory. */
export async function writeReplayModel(
  folder: string,
  name: keyof typeof replayGraphs,
): Promise<string> {
  const directory = join(folder, name);
  await writeModelDirectory(directory, replayModel(replayGraphs[name]));
  return directory;
}
