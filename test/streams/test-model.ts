import { chooseKernel } from "../../src/cells/kernels/choose-kernel.ts";
import type { KernelName } from "../../src/cells/kernels/kernel.ts";
import { createFusionModel, type FusionModel } from "../../src/fusion/fusion-model.ts";
import { seededWeights } from "../../src/fusion/presets/seeded-weights.ts";
import { parseGraphSpec } from "../../src/fusion/spec/parse-graph-spec.ts";
import { Random } from "../../src/sensors/random.ts";
import type { PooledModel } from "../../src/streams/workers/fusion-worker-pool.ts";

/** Sensors imu (a number) and eye (a 4×4 event camera), one head of each role that is asked for. */
export function testModel(
  roles: readonly string[] = ["every-tick"],
  kernel: KernelName | "auto" = "auto",
): FusionModel {
  const { spec, weights, hash } = storedTestModel(roles);
  return createFusionModel(spec, weights, hash, chooseKernel(kernel).kernel);
}

/** The same as a model directory would hold it. */
export function storedTestModel(roles: readonly string[] = ["every-tick"]): PooledModel {
  const spec = parseGraphSpec({
    format: "polyphase.graph/v1",
    name: "test",
    time: { origin: "session-start" },
    sensors: [
      { name: "imu", kind: "scalar", size: 1 },
      { name: "eye", kind: "dvs", width: 4, height: 4, dimensions: 3 },
    ],
    layers: [
      { name: "i", cell: "phased-lstm", units: 4, inputs: ["imu"], gate: { mode: "own-event" } },
      { name: "e", cell: "phased-lstm", units: 6, inputs: ["eye"], gate: { mode: "phase" } },
      { name: "m", cell: "phased-lstm", units: 8, inputs: ["i", "e"], gate: { mode: "square" } },
    ],
    heads: roles.map((output) => {
      return { name: output, type: "softmax", inputs: ["m"], labels: ["x", "y"], output };
    }),
  });
  const range = { periodUs: [500, 5000], openRatio: 0.3 } as const;
  const weights = seededWeights(spec, { e: range, m: range }, new Random(5));
  return { spec, weights, hash: "test-model" };
}
