import { describe, expect, it } from "vitest";
import { chooseKernel } from "../../src/cells/kernels/choose-kernel.ts";
import { createFusionGraph } from "../../src/fusion/fusion-graph.ts";
import { createFusionState } from "../../src/fusion/fusion-state.ts";
import { createGovernor } from "../../src/fusion/governor/governor.ts";
import { planCompute } from "../../src/fusion/plan-compute.ts";
import { presets } from "../../src/fusion/presets/presets.ts";
import { seededWeights } from "../../src/fusion/presets/seeded-weights.ts";
import { applyEvent, finishTick } from "../../src/fusion/step-fusion.ts";
import { Random } from "../../src/sensors/random.ts";

const { spec, oscillators } = presets["grid"]!;
const graph = createFusionGraph(
  spec,
  seededWeights(spec, oscillators, new Random(1)),
  chooseKernel("auto").kernel,
);
/** Audio every 10 ms, video every 40 ms, from 1 h on. */
const window = { fromUs: 3_600_000_000, lengthUs: 2_000_000, ratesHz: [100, 25] };

describe("planCompute()", () => {
  it("foretells the steps and open units of a run", () => {
    const state = createFusionState(graph);
    state.progress.epochUs = 0;
    for (let t = window.fromUs; t < window.fromUs + window.lengthUs; t += 10_000) {
      applyEvent(state, 0, t);
      if (t % 40_000 === 0) applyEvent(state, 1, t);
      finishTick(state, t);
    }
    const plan = planCompute(graph, window);
    expect(plan.map(({ steps }) => steps)).toEqual(Array.from(state.work.steps));
    expect(plan.map(({ openUnits }) => openUnits)).toEqual(Array.from(state.work.unitUpdates));
  });

  it("counts multiply-accumulates of open units, and of all for comparison", () => {
    const [audio, , merge1] = planCompute(graph, window);
    expect(audio).toMatchObject({ name: "audio-lstm", steps: 200, openUnitsMax: 150 });
    expect(audio!.macs).toBe(200 * 113_400);
    expect(audio!.macs).toBe(audio!.denseMacs);
    expect(merge1!.denseMacs).toBe(200 * 510_000);
    expect(merge1!.macs).toBe(merge1!.openUnits * 4 * 510);
    expect(merge1!.openUnits / (200 * 250)).toBeCloseTo(0.05, 2);
  });

  it("is at the open ratios that a budget leaves, and holds it", () => {
    const floors = new Map([
      ["merge-1", 0.25],
      ["merge-2", 0.25],
    ]);
    const trained = planCompute(graph, window);
    const usPerSecond = trained.reduce((sum, each) => sum + each.estimatedUs, 0) / 2 - 150;
    const plan = planCompute(graph, window, createGovernor(graph, { usPerSecond, floors }));
    const spent = plan.reduce((sum, each) => sum + each.estimatedUs, 0) / 2;
    expect(spent).toBeLessThan(1.05 * usPerSecond);
    expect(plan.map(({ openScale }) => openScale < 1)).toEqual([false, false, true, true]);
    plan.forEach(({ openUnits, openScale }, i) => {
      expect(openUnits / trained[i]!.openUnits).toBeCloseTo(openScale, 1);
    });
  });

  it("expects more time for more open units, and none for no events", () => {
    const none = planCompute(graph, { ...window, ratesHz: [0.1, 0.1] });
    expect(none.every(({ steps, estimatedUs }) => steps === 0 && estimatedUs === 0)).toBe(true);
    const [, , one, two] = planCompute(graph, window);
    expect(one!.estimatedUs).toBeGreaterThan(200 * (0.025 + 0.07));
    expect(two!.estimatedUs).toBeLessThan(200 * 5);
  });
});
