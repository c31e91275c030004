import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { layerStepOnnx } from "../../src/backends/onnx/layer-step-onnx.ts";
import type { GateMode } from "../../src/cells/gate.ts";
import { chooseKernel } from "../../src/cells/kernels/choose-kernel.ts";
import type { CellKind } from "../../src/cells/layer-parameters.ts";
import { Random } from "../../src/sensors/random.ts";
import { randomLayer } from "../cells/kernels/random-layer.ts";

const shape = { inputs: 5, units: 24, openRatio: 0.3, seed: 5 };
const cases: readonly [CellKind, GateMode][] = [
  ["phased-lstm", "phase"],
  ["phased-lstm", "square"],
  ["phased-lstm", "own-event"],
  ["lstm", "always"],
];

describe("layerStepOnnx()", () => {
  it.each(cases)(
    "gives the streaming layer's h in onnxruntime to 1e-6: %s, %s",
    async (cell, gate) => {
      const parameters = randomLayer({ cell, gate, ...shape });
      const session = await InferenceSession.create(layerStepOnnx(parameters));
      const { kernel } = chooseKernel("reference-f64");
      const layer = kernel.createLayer(parameters);
      const state = layer.bind(kernel.allocate(layer.stateLength), 0);
      const random = new Random(3);
      let h = new Tensor("float32", new Float32Array(shape.units), [1, shape.units]);
      let c = h;
      let timeUs = 0;
      let largest = 0;
      for (let n = 0; n < 100; n++) {
        timeUs += random.below(4_000);
        const x = Float32Array.from({ length: shape.inputs }, () => random.normal());
        state.x.set(x);
        layer.step(state, timeUs);
        const t = { t: new Tensor("float64", Float64Array.of(timeUs), [1]) };
        const next = await session.run({
          ...(session.inputNames.includes("t") && t),
          x: new Tensor("float32", x, [1, shape.inputs]),
          h,
          c,
        });
        h = next["nextH"] as Tensor as typeof h;
        c = next["nextC"] as Tensor as typeof c;
        h.data.forEach((value, u) => {
          largest = Math.max(largest, Math.abs(value - state.h[u]!));
        });
      }
      expect(largest).toBeLessThanOrEqual(1e-6);
      expect(Math.max(...Array.from(h.data, Math.abs))).toBeGreaterThan(0.01);
    },
  );
  it("refuses a Phased GRU", () => {
    const gru = randomLayer({ cell: "phased-gru", gate: "phase", ...shape });
    expect(() => layerStepOnnx(gru)).toThrow("got phased-gru");
  });
});
