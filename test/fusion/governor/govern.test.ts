import { describe, expect, it } from "vitest";
import { hasOscillator } from "../../../src/cells/gate.ts";
import { chooseKernel } from "../../../src/cells/kernels/choose-kernel.ts";
import type { KernelName } from "../../../src/cells/kernels/kernel.ts";
import type { FusionGraph } from "../../../src/fusion/fusion-graph.ts";
import { createFusionGraph } from "../../../src/fusion/fusion-graph.ts";
import { createFusionSnapshot } from "../../../src/fusion/fusion-snapshot.ts";
import {
  createFusionState,
  type FusionState,
  resetFusionState,
} from "../../../src/fusion/fusion-state.ts";
import {
  createGovernorState,
  type DecisionSource,
  followDecision,
  type GovernorDecision,
} from "../../../src/fusion/governor/govern.ts";
import { createGovernor, type Governor } from "../../../src/fusion/governor/governor.ts";
import { seededWeights } from "../../../src/fusion/presets/seeded-weights.ts";
import { parseGraphSpec } from "../../../src/fusion/spec/parse-graph-spec.ts";
import { applyEvent, finishTick, type StepMode } from "../../../src/fusion/step-fusion.ts";
import type { Tensor } from "../../../src/fusion/tensor.ts";
import { Random } from "../../../src/sensors/random.ts";
import { encodeCheckpoint, restoreCheckpoint } from "../../../src/state/checkpoint.ts";
import { graphOf, type RandomTick, randomCase } from "../random-graph.ts";

const kernelNames: readonly KernelName[] = ["reference-f64", "sparse-f32", "wasm-f32"];
const kernels = new Map(kernelNames.map((name) => [name, chooseKernel(name).kernel]));

/** One sensor, a layer that may not be narrowed and two that may. */
const spec = parseGraphSpec({
  format: "polyphase.graph/v1",
  name: "governed",
  time: { origin: "absolute", epochUs: 0 },
  sensors: [{ name: "imu", kind: "scalar", size: 3 }],
  layers: [
    { name: "plain", cell: "lstm", units: 8, inputs: ["imu"], gate: { mode: "always" } },
    {
      name: "large",
      cell: "phased-lstm",
      units: 64,
      inputs: ["plain"],
      gate: { mode: "phase" },
      governed: { floor: 0.25 },
    },
    {
      name: "small",
      cell: "phased-gru",
      units: 16,
      inputs: ["large"],
      gate: { mode: "square" },
      governed: { floor: 0.5 },
    },
  ],
  heads: [{ name: "out", type: "linear", inputs: ["small"], size: 1 }],
});
const oscillator = { periodUs: [2_000, 60_000] as const, openRatio: 0.4 };
const weights = seededWeights(
  spec,
  { large: oscillator, small: oscillator },
  new Random(7),
) as ReadonlyMap<string, Tensor>;
const graph = createFusionGraph(spec, weights, kernels.get("wasm-f32")!);

function governed(
  governor: Governor,
  to: FusionGraph = graph,
  source: DecisionSource = "rule",
): { readonly state: FusionState; readonly decisions: GovernorDecision[] } {
  const decisions: GovernorDecision[] = [];
  const onDecision = (decision: GovernorDecision): void => void decisions.push(decision);
  const state = createFusionState(to, createGovernorState(governor, { source, onDecision }));
  return { state, decisions };
}

/** Events of the one sensor, `gapUs` apart, from `fromUs` up to `toUs`. */
function stream(state: FusionState, fromUs: number, toUs: number, gapUs: number): void {
  for (let t = fromUs; t < toUs; t += gapUs) {
    state.features[0]!.fill(Math.sin(t));
    applyEvent(state, 0, t);
    finishTick(state, t);
  }
}

/** µs per second of event time that the graph costs at a rate without limit. */
function unlimited(gapUs: number): number {
  const { state, decisions } = governed(createGovernor(graph, { usPerSecond: 1e9 }));
  stream(state, 0, 1_000_001, gapUs);
  expect(decisions).toEqual([]);
  const tight = governed(createGovernor(graph, { usPerSecond: 1e-9 }));
  stream(tight.state, 0, 1_000_001, gapUs);
  return tight.decisions[0]!.spentUs;
}

function bits(state: FusionState): readonly number[] {
  return state.layers.flatMap(({ c, h }) => [...c, ...h]);
}

describe("govern()", () => {
  it("narrows the layer that costs most until its budget is held, and says so", () => {
    const before = unlimited(5_000);
    const { state, decisions } = governed(createGovernor(graph, { usPerSecond: 0.6 * before }));
    stream(state, 0, 1_000_001, 5_000);
    expect(decisions).toEqual([
      {
        timeUs: 1_000_000,
        layer: "large",
        openScale: expect.any(Number),
        spentUs: expect.closeTo(before, 9),
        budgetUs: 0.6 * before,
      },
    ]);
    expect([0.25, 0.375, 0.5, 0.625]).toContain(decisions[0]!.openScale);
    const { unitUpdates } = state.work;
    const updates = unitUpdates[1]!;
    stream(state, 1_005_000, 2_000_001, 5_000);
    const share = (unitUpdates[1]! - updates) / updates;
    expect(share).toBeCloseTo(decisions[0]!.openScale, 1);
    expect(decisions.length).toBe(1);
  });

  it("never goes below a floor, and counts the seconds that were too much for it", () => {
    const { state, decisions } = governed(createGovernor(graph, { usPerSecond: 0.001 }));
    stream(state, 0, 5_000_000, 5_000);
    expect(Object.fromEntries(decisions.map((each) => [each.layer, each.openScale]))).toEqual({
      large: 0.25,
      small: 0.5,
    });
    expect(state.governor!.progress).toMatchObject({ decisions: 2, overspentWindows: 4 });
  });

  it("widens one level after four calm seconds each, and not while that would not fit", () => {
    const busy = unlimited(5_000);
    const { state, decisions } = governed(createGovernor(graph, { usPerSecond: busy / 2 }));
    stream(state, 0, 10_000_000, 5_000);
    const narrowed = decisions.length;
    const { openScale } = decisions.findLast(({ layer }) => layer === "large")!;
    // A tenth of the events: everything would fit.
    stream(state, 10_000_000, 60_000_000, 50_000);
    const widened = decisions.slice(narrowed);
    expect(widened[0]).toMatchObject({ layer: "large", openScale: openScale + 1 / 8 });
    expect(
      widened.every(({ timeUs }, i) => i === 0 || timeUs - widened[i - 1]!.timeUs >= 4e6),
    ).toBe(true);
    expect(widened.at(-1)).toMatchObject({ openScale: 1 });
    expect(state.governor!.levels.every((level) => level === 0)).toBe(true);
  });

  it("takes a silence for calm, however long", () => {
    const { state, decisions } = governed(createGovernor(graph, { usPerSecond: 1 }));
    stream(state, 0, 2_000_000, 5_000);
    expect(decisions.length).toBe(2);
    stream(state, 1e12, 1e12 + 1, 5_000);
    expect(state.governor!.levels.every((level) => level === 0)).toBe(true);
  });

  it("pays no heed to late events, nor to where a session's time begins", () => {
    const budget = { usPerSecond: unlimited(5_000) / 2 };
    const { state, decisions } = governed(createGovernor(graph, budget));
    stream(state, 0, 600_000, 5_000);
    applyEvent(state, 0, 1_000);
    resetFusionState(state, 0);
    stream(state, 9e9, 9e9 + 300_000, 5_000);
    expect(decisions).toEqual([]);
    stream(state, 9e9 + 300_000, 9e9 + 600_000, 5_000);
    // 595 ms of the first session and 405 ms of the second.
    expect(decisions[0]!.timeUs).toBe(9e9 + 405_000);
  });
});

describe("a governed graph", () => {
  /** Random graphs whose gates can be narrowed, and many more ticks than they come with. */
  const cases = Array.from({ length: 90 }, (_, seed) => randomCase(seed)).flatMap((one, seed) => {
    const floors = new Map(
      one.spec.layers
        .filter(({ gate }) => hasOscillator(gate.mode))
        .map(({ name }, i) => [name, [0.125, 0.5, 0.9][(seed + i) % 3]!] as const),
    );
    if (floors.size === 0) return [];
    let timeUs = one.epochUs;
    const random = new Random(seed);
    const ticks = Array.from({ length: 8 }, () => one.ticks).flatMap((ticks) =>
      ticks.map(({ events }) => {
        timeUs += [1_000, 10_000, 100_000, 700_000, 30_000_000][random.below(5)]!;
        return { timeUs, events };
      }),
    );
    return [{ ...one, seed, floors, ticks, usPerSecond: [0.1, 1, 5][seed % 3]! }];
  });

  function run(
    one: (typeof cases)[number],
    name: KernelName,
    mode: StepMode,
    recorded?: readonly GovernorDecision[],
  ): { readonly state: FusionState; readonly decisions: readonly GovernorDecision[] } {
    const to = graphOf(one, kernels.get(name)!);
    const governor = createGovernor(to, one);
    const { state, decisions } = governed(
      governor,
      to,
      recorded === undefined ? "rule" : "recorded",
    );
    state.progress.epochUs = one.epochUs;
    // Some long before their time, some just before the event that they hold from.
    let next = 0;
    one.ticks.forEach((tick, i) => {
      const untilUs = i % 3 === 0 ? tick.timeUs + 10_000_000 : tick.timeUs;
      while (recorded !== undefined && (recorded[next]?.timeUs ?? Infinity) <= untilUs) {
        followDecision(state.governor!, recorded[next++]!);
      }
      applyTick(state, tick, mode);
    });
    return { state, decisions };
  }

  function applyTick(state: FusionState, tick: RandomTick, mode: StepMode): void {
    for (const { sensor, features } of tick.events) {
      state.features[sensor]!.set(features);
      applyEvent(state, sensor, tick.timeUs, mode);
    }
    finishTick(state, tick.timeUs, mode);
  }

  it.each(kernelNames)("decides the same and has the bits of every row evaluated (%s)", (name) => {
    let decided = 0;
    for (const one of cases) {
      const sparse = run(one, name, "sparse");
      const dense = run(one, name, "dense");
      expect(dense.decisions, `seed ${one.seed}`).toEqual(sparse.decisions);
      expect(bits(dense.state), `seed ${one.seed}`).toEqual(bits(sparse.state));
      decided += sparse.decisions.length;
    }
    // The comparison means something only if much was decided.
    expect(decided).toBeGreaterThan(200);
  });

  it("has the same bits when recorded decisions are followed instead of the rule", () => {
    for (const one of cases) {
      const ruled = run(one, "wasm-f32", "sparse");
      const followed = run(one, "sparse-f32", "dense", ruled.decisions);
      expect(followed.decisions).toEqual(ruled.decisions);
      expect(bits(followed.state), `seed ${one.seed}`).toEqual(bits(ruled.state));
      const model = { graph: ruled.state.graph, encoders: [], hash: "m" };
      const [a, b] = [ruled, followed].map(({ state }) => encodeCheckpoint(state, model, "s"));
      expect(Buffer.compare(a!, b!)).toBe(0);
    }
  });

  it("goes on as it would have, from a checkpoint and from a snapshot", () => {
    for (const one of cases.slice(0, 40)) {
      const whole = run(one, "wasm-f32", "sparse");
      const { graph: to } = whole.state;
      const model = { graph: to, encoders: [], hash: "m" };
      const governor = createGovernor(to, one);
      let { state } = governed(governor, to);
      state.progress.epochUs = one.epochUs;
      const snapshot = createFusionSnapshot(state);
      one.ticks.forEach((tick, i) => {
        snapshot.take(state);
        applyTick(state, tick, "sparse");
        snapshot.restore(state);
        applyTick(state, tick, "sparse");
        if (i % 7 !== 0) return;
        const checkpoint = encodeCheckpoint(state, model, "s");
        state = governed(governor, to).state;
        restoreCheckpoint(state, model, checkpoint);
      });
      expect(bits(state), `seed ${one.seed}`).toEqual(bits(whole.state));
      expect(state.governor!.levels).toEqual(whole.state.governor!.levels);
    }
  });
});

describe("followDecision()", () => {
  const governor = createGovernor(graph, { usPerSecond: 1 });
  const decision = { timeUs: 0, layer: "large", openScale: 0.5, spentUs: 2, budgetUs: 1 };
  it.each([
    [{ layer: "huge" }, "its layer must be one of plain, large, small, got huge"],
    [{ openScale: 0.3 }, "openScale of large must be a multiple of 1/8 from 0.25 to 1, got 0.3"],
    [
      { openScale: 0.125 },
      "openScale of large must be a multiple of 1/8 from 0.25 to 1, got 0.125",
    ],
    [{ layer: "plain" }, "openScale of plain must be a multiple of 1/8 from 1 to 1, got 0.5"],
  ])("refuses %j", (change, expected) => {
    const state = createGovernorState(governor, { source: "recorded" });
    expect(() => followDecision(state, { ...decision, ...change })).toThrow(expected);
    expect(state.levels.every((level) => level === 0)).toBe(true);
  });
});

describe("createGovernor()", () => {
  it.each([
    [{ usPerSecond: 0 }, "budget must be a finite number > 0, got 0"],
    [
      { usPerSecond: 1, costFactor: Number.NaN },
      "cost factor must be a finite number > 0, got NaN",
    ],
    [
      { usPerSecond: 1, floors: new Map([["plain", 0.5]]) },
      "a layer to be narrowed must be one of large, small, got plain",
    ],
    [
      { usPerSecond: 1, floors: new Map([["large", 0]]) },
      "the floor of large must be in (0, 1], got 0",
    ],
    [{ usPerSecond: 1, floors: new Map() }, "to be narrowed (large, small), got none"],
  ])("refuses %j", (budget, expected) => {
    expect(() => createGovernor(graph, budget)).toThrow(expected);
  });
});

describe("restoreCheckpoint()", () => {
  it("refuses what another budget's floors rule out", () => {
    const model = { graph, encoders: [], hash: "m" };
    const { state } = governed(createGovernor(graph, { usPerSecond: 0.001 }));
    stream(state, 0, 2_000_000, 5_000);
    const checkpoint = encodeCheckpoint(state, model, "s");
    const other = createGovernor(graph, { usPerSecond: 1, floors: new Map([["large", 0.5]]) });
    expect(() => restoreCheckpoint(governed(other).state, model, checkpoint)).toThrow(
      "it must open large with 0.5 of its r_on or more, got 0.25",
    );
    expect(() => restoreCheckpoint(createFusionState(graph), model, checkpoint)).toThrow(
      "it must be of a run without compute budget",
    );
  });
});
