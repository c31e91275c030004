import { mfccConventions } from "../../sensors/audio/mfcc-convention.ts";
import { type GraphSpec, graphFormat, type LayerSpec } from "../spec/graph-spec.ts";
import { gridLabels } from "./grid-labels.ts";
import type { OscillatorRange } from "./seeded-weights.ts";

/** A network of known sizes whose weights somebody else supplies: a seed, or training. */
export interface Preset {
  readonly spec: GraphSpec;
  /** How the oscillators of its gated layers begin. */
  readonly oscillators: Readonly<Record<string, OscillatorRange>>;
}

const mfcc = mfccConventions.centred;
const digits: readonly string[] = "0123456789".split("");
/**
 * Square gates whose window is as long as the audio's 10 ms: each unit opens exactly once per
 * period, at k = 1, wherever the clock stands (spec D5).
 */
const mergeOscillator: OscillatorRange = { periodUs: [200_000, 200_000], openRatio: 0.05 };

/** Lip reading as in the paper: audio 39→150, video 48×48→64→110, merges 250 and 250, 51 words. */
const grid: Preset = {
  spec: {
    format: graphFormat,
    name: "grid",
    time: { origin: "session-start", epochUs: 0 },
    sensors: [
      { name: "audio", kind: "audio", size: 39, convention: mfcc, mean: [], deviation: [] },
      { name: "video", kind: "video", width: 48, height: 48, mean: 145, deviation: 50 },
    ],
    layers: [
      branch("audio-lstm", 150, "audio"),
      branch("video-lstm", 110, "video"),
      merge("merge-1", 250, ["video-lstm", "audio-lstm"]),
      merge("merge-2", 250, ["merge-1"]),
    ],
    heads: [
      {
        name: "word",
        type: "softmax",
        inputs: ["merge-2"],
        labels: gridLabels,
        output: "every-tick",
      },
    ],
    provenance: {},
  },
  oscillators: { "merge-1": mergeOscillator, "merge-2": mergeOscillator },
};

/** N-MNIST as in the paper: 34×34 events → embedding 40 + polarity → 110 → 10 digits. */
const nmnist: Preset = {
  spec: {
    format: graphFormat,
    name: "nmnist",
    time: { origin: "session-start", epochUs: 0 },
    sensors: [{ name: "dvs", kind: "dvs", width: 34, height: 34, dimensions: 40 }],
    layers: [
      {
        name: "dvs-lstm",
        cell: "phased-lstm",
        units: 110,
        inputs: ["dvs"],
        merge: "concat",
        onSilence: "hold",
        gate: { mode: "phase" },
      },
    ],
    heads: [
      {
        name: "digit",
        type: "softmax",
        inputs: ["dvs-lstm"],
        labels: digits,
        output: "on-change",
      },
    ],
    provenance: {},
  },
  oscillators: { "dvs-lstm": { periodUs: [100_000, 350_000], openRatio: 0.05 } },
};

/** Spoken digits heard, seen as frames and seen by an event camera: all three kinds at once. */
const scene: Preset = {
  spec: {
    format: graphFormat,
    name: "scene",
    time: { origin: "session-start", epochUs: 0 },
    sensors: [
      { name: "audio", kind: "audio", size: 39, convention: mfcc, mean: [], deviation: [] },
      { name: "video", kind: "video", width: 48, height: 48, mean: 128, deviation: 64 },
      { name: "dvs", kind: "dvs", width: 34, height: 34, dimensions: 40 },
    ],
    layers: [
      branch("audio-lstm", 64, "audio"),
      branch("video-lstm", 64, "video"),
      { ...branch("dvs-lstm", 110, "dvs"), gate: { mode: "phase" } },
      merge("merge-1", 128, ["audio-lstm", "video-lstm", "dvs-lstm"]),
      merge("merge-2", 128, ["merge-1"]),
    ],
    heads: [
      {
        name: "digit",
        type: "softmax",
        inputs: ["merge-2"],
        labels: digits,
        output: "on-change",
      },
    ],
    provenance: {},
  },
  oscillators: {
    "dvs-lstm": { periodUs: [100_000, 350_000], openRatio: 0.05 },
    "merge-1": mergeOscillator,
    "merge-2": mergeOscillator,
  },
};

export const presets: Readonly<Record<string, Preset>> = { grid, nmnist, scene };

function branch(name: string, units: number, sensor: string): LayerSpec {
  return {
    name,
    cell: "phased-lstm",
    units,
    inputs: [sensor],
    merge: "concat",
    onSilence: "hold",
    gate: { mode: "own-event" },
  };
}

function merge(name: string, units: number, inputs: readonly string[]): LayerSpec {
  return {
    name,
    cell: "phased-lstm",
    units,
    inputs,
    merge: "concat",
    onSilence: "hold",
    gate: { mode: "square" },
  };
}
