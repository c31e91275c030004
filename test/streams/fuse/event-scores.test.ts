import { describe, expect, it } from "vitest";
import { createSparseKernel } from "../../../src/cells/kernels/sparse-kernel.ts";
import { negativeLogLikelihood } from "../../../src/cells/mixture-density.ts";
import { createFusionModel } from "../../../src/fusion/fusion-model.ts";
import type { Prediction } from "../../../src/fusion/prediction.ts";
import { seededWeights } from "../../../src/fusion/presets/seeded-weights.ts";
import { parseGraphSpec } from "../../../src/fusion/spec/parse-graph-spec.ts";
import { Random } from "../../../src/sensors/random.ts";
import { encodeCheckpoint, restoreCheckpoint } from "../../../src/state/checkpoint.ts";
import { StreamFusion } from "../../../src/streams/fuse/stream-fusion.ts";
import type { Tick } from "../../../src/streams/merge/merged-item.ts";
import { NdjsonSink } from "../../../src/streams/ndjson/ndjson-sink.ts";
import { marker, scalar } from "../items.ts";

const spec = parseGraphSpec({
  format: "polyphase.graph/v1",
  name: "scores",
  time: { origin: "session-start" },
  sensors: [
    { name: "pen", kind: "scalar", size: 2 },
    { name: "imu", kind: "scalar", size: 1 },
  ],
  layers: [
    { name: "p", cell: "phased-lstm", units: 4, inputs: ["pen"], gate: { mode: "own-event" } },
    { name: "m", cell: "lstm", units: 5, inputs: ["p", "imu"], gate: { mode: "always" } },
  ],
  heads: [
    { name: "next", type: "mixture", inputs: ["m"], components: 2, dimensions: 2, predicts: "pen" },
  ],
});
const model = createFusionModel(
  spec,
  seededWeights(spec, {}, new Random(3)),
  "scores",
  createSparseKernel(),
);

function tick(timeUs: number, ...events: ReturnType<typeof scalar>[]): Tick {
  const ranges = events.map((event, priority) => ({ event, from: 0, to: 1, priority }));
  return { kind: "tick", stream: "s", timeUs, ranges, finished: [] };
}

const pen = (timeUs: number, seq: number, x: number): ReturnType<typeof scalar> =>
  scalar("pen", timeUs, seq, x, -x);
const ticks = [
  tick(0, pen(0, 0, 0.5)),
  tick(10, pen(10, 1, 0.6)),
  tick(20, scalar("imu", 20, 0, 1)),
  tick(30, pen(30, 2, 9), pen(30, 3, 0.7), scalar("imu", 30, 1, 2)),
  tick(40, pen(40, 4, 0.8)),
];

function newFusion(said: Prediction[]): StreamFusion {
  return new StreamFusion(model, "s", (some) => said.push(...some), "sparse");
}

describe("StreamFusion with a head that predicts a sensor", () => {
  const said: Prediction[] = [];
  const fusion = newFusion(said);
  for (const item of ticks) fusion.apply(item, new Map());

  it("scores ticks of the sensor by −ln p under what the head had said before, but the first", () => {
    expect(said.map(({ score }) => score !== undefined)).toEqual([false, true, false, true, true]);
    const y = Float32Array.of(0.6, -0.6);
    expect(said[1]!.score).toBe(negativeLogLikelihood(said[0]!.values, 2, y));
    // The largest of the events of a tick.
    const leap = negativeLogLikelihood(said[2]!.values, 2, Float32Array.of(9, -9));
    expect(said[3]!.score).toBe(leap);
    expect(leap).toBeGreaterThan(said[4]!.score!);
  });
  it("writes scores into the lines of replay and run", async () => {
    let written = "";
    await new NdjsonSink(undefined, (text) => {
      written += text;
    }).write(said);
    const lines = written.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).score)).toEqual(said.map(({ score }) => score));
  });
  it("gives the same scores from a checkpoint, and none where a session begins", () => {
    for (let cut = 1; cut < ticks.length; cut++) {
      const before = newFusion([]);
      for (const item of ticks.slice(0, cut)) before.apply(item, new Map());
      const rest: Prediction[] = [];
      const after = newFusion(rest);
      restoreCheckpoint(after.state, model, encodeCheckpoint(before.state, model, "s"));
      for (const item of ticks.slice(cut)) after.apply(item, new Map());
      expect(rest).toEqual(said.slice(cut));
    }
    const again: Prediction[] = [];
    const session = newFusion(again);
    session.apply(ticks[0]!, new Map());
    const start = marker("session-start", 10);
    session.apply(
      { kind: "marker", stream: "s", timeUs: 10, marker: start, finished: [] },
      new Map(),
    );
    session.apply(ticks[1]!, new Map());
    expect(again.map(({ score }) => score)).toEqual([undefined, undefined]);
  });
});
