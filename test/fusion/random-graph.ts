import type { Kernel } from "../../src/cells/kernels/kernel.ts";
import { createFusionGraph, type FusionGraph } from "../../src/fusion/fusion-graph.ts";
import { type OscillatorRange, seededWeights } from "../../src/fusion/presets/seeded-weights.ts";
import type { GraphSpec } from "../../src/fusion/spec/graph-spec.ts";
import { parseGraphSpec } from "../../src/fusion/spec/parse-graph-spec.ts";
import type { Tensor, Weights } from "../../src/fusion/tensor.ts";
import { Random } from "../../src/sensors/random.ts";

/** All of one stream's events at one time. */
export interface RandomTick {
  readonly timeUs: number;
  readonly events: readonly { readonly sensor: number; readonly features: Float32Array }[];
}

export interface RandomCase {
  readonly spec: GraphSpec;
  readonly weights: Weights;
  readonly ticks: readonly RandomTick[];
  readonly epochUs: number;
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

/**
 * A graph of random shape (1 to 3 sensors, stacked branches, all merges, gates and cells, skip
 * connections) and a random list of events: ties between sensors, several events of a sensor at one
 * time, sensors that stay silent, times before the shifts, origins up to the Unix epoch.
 */
export function randomCase(seed: number): RandomCase {
  const random = new Random(seed);
  const { spec, oscillators } = randomSpec(random);
  const weights = new Map(seededWeights(spec, oscillators, random));
  for (const layer of spec.layers) randomiseTimes(layer.name, weights, random);
  const epochUs = pick(random, [0, 12_345, 1_700_000_000_000_000]);
  return { spec, weights, ticks: randomTicks(spec, random, epochUs), epochUs };
}

export function graphOf({ spec, weights }: RandomCase, kernel: Kernel): FusionGraph {
  return createFusionGraph(spec, weights, kernel);
}

function randomSpec(random: Random): {
  readonly spec: GraphSpec;
  readonly oscillators: Record<string, OscillatorRange>;
} {
  const oscillators: Record<string, OscillatorRange> = {};
  const sensors = Array.from({ length: 1 + random.below(3) }, (_, i) => {
    return { name: `s${i}`, kind: "scalar", size: 1 + random.below(6) };
  });
  const layers: { name: string; units: number; inputs: string[] }[] = [];
  const addLayer = (inputs: string[], branch: boolean, merge = "concat"): string => {
    const name = `l${layers.length}`;
    const cell = pick(random, ["phased-lstm", "phased-lstm", "phased-gru", "lstm"]);
    const plain = branch ? ["own-event", "always"] : ["always"];
    const gated = ["phase", "square", "aligned", ...plain];
    const mode = pick(random, cell === "lstm" ? plain : gated);
    const gate =
      mode === "aligned"
        ? { mode, periodUs: 1000 + random.below(50_000), alignUs: 500, openRatio: 0.3 }
        : { mode };
    if (mode === "phase" || mode === "square") {
      oscillators[name] = { periodUs: [2_000, 60_000], openRatio: pick(random, [0.05, 0.3, 1]) };
    }
    const onSilence = pick(random, ["hold", "hold", "zero"]);
    const units = merge === "product" ? layers[0]!.units : 1 + random.below(9);
    layers.push({ name, cell, units, inputs, merge, onSilence, gate } as (typeof layers)[number]);
    return name;
  };
  const tops = sensors.map(({ name }) => {
    const first = addLayer([name], true);
    return random.below(3) === 0 ? addLayer([first, name], true) : first;
  });
  let top = tops[0]!;
  if (tops.length > 1) {
    const skip = random.below(2) === 0 ? [sensors[0]!.name] : [];
    top = addLayer([...tops, ...skip], false, pick(random, ["concat", "attention"]));
    if (random.below(2) === 0) top = addLayer([top], false);
  }
  const spec = parseGraphSpec({
    format: "polyphase.graph/v1",
    name: "random",
    time: { origin: "absolute", epochUs: 0 },
    sensors,
    layers,
    heads: [
      { name: "class", type: "softmax", inputs: [top], labels: ["a", "b", "c"] },
      { name: "all", type: "linear", inputs: layers.map(({ name }) => name), size: 2 },
      { name: "mix", type: "mixture", inputs: [top], components: 2, dimensions: 1 },
    ],
    provenance: {},
  });
  return { spec, oscillators };
}

/** Fractional, negative and large shifts, and open ratios that differ from unit to unit. */
function randomiseTimes(layer: string, weights: Map<string, Tensor>, random: Random): void {
  const shift = weights.get(`${layer}.shift_us`);
  if (shift === undefined) return;
  for (let j = 0; j < shift.data.length; j++) {
    shift.data[j] = pick(random, [shift.data[j]!, -shift.data[j]! / 3, shift.data[j]! * 1e6]);
  }
}

function randomTicks(spec: GraphSpec, random: Random, epochUs: number): readonly RandomTick[] {
  const ticks: RandomTick[] = [];
  let timeUs = epochUs;
  for (let i = 0; i < 25; i++) {
    timeUs += pick(random, [1, 250, 1_000, 10_000, 40_000, 4_000_000_000]);
    const events = spec.sensors.flatMap((sensor, index) => {
      const count = pick(random, [0, 1, 1, 2]);
      return Array.from({ length: count }, () => {
        const size = "size" in sensor ? sensor.size : 0;
        return {
          sensor: index,
          features: Float32Array.from({ length: size }, () => random.normal()),
        };
      });
    });
    if (events.length > 0) ticks.push({ timeUs, events });
  }
  return ticks;
}
