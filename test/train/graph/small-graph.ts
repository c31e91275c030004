import type { GateMode } from "../../../src/cells/gate.ts";
import type { GraphSpec } from "../../../src/fusion/spec/graph-spec.ts";
import { parseGraphSpec } from "../../../src/fusion/spec/parse-graph-spec.ts";
import { Random } from "../../../src/sensors/random.ts";
import type { GraphPlan, HeadPlan, LayerPlan } from "../../../src/train/graph/graph-plan.ts";
import type { SequenceWriter } from "../../../src/train/network/sequence-writer.ts";

export interface SmallGraph {
  readonly branch: GateMode;
  readonly merge: GateMode;
  readonly onSilence: "hold" | "zero";
}

/** Two branches, two merge layers with a skip connection, a head on top and one on a branch. */
export function smallSpec({ branch, merge, onSilence }: SmallGraph): GraphSpec {
  const gate = (mode: GateMode): object =>
    mode === "aligned" ? { mode, periodUs: 9_000, alignUs: 500, openRatio: 0.4 } : { mode };
  const cellOf = (mode: GateMode): string => (mode === "always" ? "lstm" : "phased-lstm");
  const layer = (name: string, units: number, inputs: string[], mode: GateMode): object => {
    return { name, cell: cellOf(mode), units, inputs, onSilence, gate: gate(mode) };
  };
  return parseGraphSpec({
    format: "polyphase.graph/v1",
    name: "small",
    time: { origin: "session-start" },
    sensors: [
      { name: "ear", kind: "scalar", size: 2, mean: [0.5, 0], deviation: [2, 1] },
      { name: "eye", kind: "scalar", size: 3 },
    ],
    layers: [
      layer("ear-lstm", 3, ["ear"], branch),
      layer("eye-lstm", 2, ["eye"], branch),
      layer("merge-1", 3, ["ear-lstm", "eye-lstm"], merge),
      layer("merge-2", 3, ["merge-1", "ear-lstm", "eye"], merge),
    ],
    heads: [
      { type: "softmax", name: "word", inputs: ["merge-2"], labels: ["a", "b", "c"] },
      { type: "softmax", name: "heard", inputs: ["ear-lstm"], labels: ["a", "b", "c"] },
    ],
  });
}

const layerPlan: LayerPlan = {
  weights: { input: 0.5, recurrent: 0.4, peephole: 0.4, bias: [-0.1, 0.5, 0, 0.2] },
  gates: { periodUs: [8_000, 30_000], openRatio: 0.45, spread: "stratified" },
  learn: { period: true, shift: true, openRatio: true, rateFactor: 0.1 },
  rateFactor: 1,
  dropout: 0,
};
const headPlan: HeadPlan = { lossWeight: 1, readTicks: 3, rateFactor: 1 };

export function smallPlan(
  spec: GraphSpec,
  changes: { layer?: Partial<LayerPlan>; head?: Partial<HeadPlan>; plan?: Partial<GraphPlan> } = {},
): GraphPlan {
  const layers = spec.layers.map(({ name }) => [name, { ...layerPlan, ...changes.layer }]);
  const heads = spec.heads.map(({ name }, i) => [
    name,
    { ...headPlan, lossWeight: 1 / (i + 1), ...changes.head },
  ]);
  const eventsMax = Object.fromEntries(spec.sensors.map(({ name }) => [name, 120]));
  return {
    spec,
    layers: Object.fromEntries(layers),
    heads: Object.fromEntries(heads),
    op: "reference",
    errors: "graph",
    limits: { sequencesMax: 4, eventsMax },
    ...changes.plan,
  };
}

interface Said {
  readonly sensor: number;
  readonly timeUs: number;
  readonly values: Float32Array;
  /** An answer asked for after it. */
  readonly target: number | undefined;
}

/** Which sensors speak at a tick: the first, the second, both, or the first twice. */
const present = [[0], [1], [0, 1], [0, 0]];

/**
 * Three recordings: both sensors at times of their own and sometimes at the same, several events at
 * one time, an answer on the way and at the end; one without the second sensor.
 */
export function smallRecordings(spec: GraphSpec, seed: number): readonly (readonly Said[])[] {
  const random = new Random(seed);
  return [0, 1, 2].map((b) => {
    let timeUs = 0;
    return Array.from({ length: 14 }, (_, tick) => {
      timeUs += 500 + random.below(4_000);
      const sensors = b === 1 || tick === 13 ? [0] : present[random.below(4)]!;
      const target = tick === 6 || tick === 13 ? random.below(3) : undefined;
      return sensors.map((sensor, i): Said => {
        const { size } = spec.sensors[sensor] as { size: number };
        const values = Float32Array.from({ length: size }, () => random.normal());
        return { sensor, timeUs, values, target: i + 1 < sensors.length ? undefined : target };
      });
    }).flat();
  });
}

/** Writes what lies between two times of each recording. */
export function writeSmall(
  writer: SequenceWriter,
  recordings: readonly (readonly Said[])[],
  [fromUs, toUs]: readonly [number, number] = [0, Number.POSITIVE_INFINITY],
): void {
  for (const recording of recordings) {
    for (const { sensor, timeUs, values, target } of recording) {
      if (timeUs < fromUs || timeUs >= toUs) continue;
      writer.item(sensor, timeUs, values);
      if (target !== undefined) writer.read(target);
    }
    writer.endRecording();
  }
}
