import { describe, expect, it } from "vitest";
import { openness, phase } from "../../src/cells/gate.ts";
import type { Kernel } from "../../src/cells/kernels/kernel.ts";
import { createReferenceKernel } from "../../src/cells/kernels/reference-kernel.ts";
import { createSparseKernel } from "../../src/cells/kernels/sparse-kernel.ts";
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import type { LayerParameters } from "../../src/cells/layer-parameters.ts";
import { createFusionGraph, type FusionGraph } from "../../src/fusion/fusion-graph.ts";
import { createFusionState } from "../../src/fusion/fusion-state.ts";
import { readHead } from "../../src/fusion/read-head.ts";
import { parseGraphSpec } from "../../src/fusion/spec/parse-graph-spec.ts";
import { applyEvent, finishTick } from "../../src/fusion/step-fusion.ts";
import type { Tensor } from "../../src/fusion/tensor.ts";
import {
  type GoldenFusion,
  type GoldenLayer,
  type GoldenSequence,
  goldenParameters,
  goldenPath,
  maxDifference,
  perUnit,
  readGolden,
} from "./golden-file.ts";

const golden = readGolden();
const float64Tolerance = 1e-12;
const float32Tolerance = 1e-6;
const kernels: readonly (readonly [Kernel, number])[] = [
  [createReferenceKernel(), float64Tolerance],
  [createSparseKernel(), float32Tolerance],
  [createWasmKernel(), float32Tolerance],
];

/** Runs a layer over a sequence and returns the worst difference of c and h. */
function worstOfSequence(
  kernel: Kernel,
  parameters: LayerParameters,
  steps: GoldenSequence["steps"],
  inputs: GoldenSequence["x"],
  method: "step" | "stepDense",
): number {
  const layer = kernel.createLayer(parameters);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  let worst = 0;
  steps.forEach(({ t, c, h }, i) => {
    state.x.set(inputs[i]!);
    layer[method](state, t);
    worst = Math.max(worst, maxDifference(state.c, c), maxDifference(state.h, h));
  });
  return worst;
}

describe(`golden numbers of ${goldenPath}`, () => {
  it("phase and openness equal exact rationals", () => {
    for (const row of golden.gate?.rows ?? []) {
      const phi = phase(row.t, row.tau, row.s);
      // The file's times are decimals: as doubles they are already this far from what it means.
      const inputError = ((Math.abs(row.t) + Math.abs(row.s)) * 2 ** -53) / row.tau;
      expect(Math.abs(phi - row.phi), JSON.stringify(row)).toBeLessThanOrEqual(
        float64Tolerance + (Number.isInteger(row.t) ? 0 : inputError),
      );
      const k = openness(phi, row.r_on, row.alpha);
      expect(Math.abs(k - row.k), JSON.stringify(row)).toBeLessThanOrEqual(float64Tolerance);
    }
    expect(golden.gate?.rows.length ?? 0).toBeGreaterThan(0);
  });

  it("the time gate of every kernel equals exact rationals", () => {
    // With all weights zero but o's and g's biases, h after one step is k · σ(0) · tanh(σ(0) tanh(1)).
    const full = 0.5 * Math.tanh(0.5 * Math.tanh(1));
    for (const [kernel, tolerance] of kernels) {
      for (const row of (golden.gate?.rows ?? []).filter(({ alpha }) => alpha === 0)) {
        const layer = kernel.createLayer({
          cell: "phased-lstm",
          inputs: 1,
          units: 1,
          gate: "phase",
          leak: 0,
          inputWeights: [0, 0, 0, 0],
          recurrentWeights: [0, 0, 0, 0],
          bias: [0, 0, 1, 0],
          peepholes: [0, 0, 0],
          recurrentBias: undefined,
          periodUs: [row.tau],
          shiftUs: [row.s],
          openRatio: [row.r_on],
        });
        const state = layer.bind(kernel.allocate(layer.stateLength), 0);
        layer.step(state, row.t);
        const difference = Math.abs(state.h[0]! - row.k * full);
        expect(difference, `${kernel.name} ${JSON.stringify(row)}`).toBeLessThanOrEqual(tolerance);
      }
    }
  });

  it("the cell equals TensorFlow's own unit test", () => {
    const block = golden.tf_contrib_1x!;
    const units = block.tau.length;
    const inputs = block.x[0]!.length;
    const parameters: LayerParameters = {
      cell: "phased-lstm",
      inputs,
      units,
      gate: "phase",
      leak: block.alpha,
      inputWeights: new Array(inputs * 4 * units).fill(block.all_weights),
      recurrentWeights: new Array(units * 4 * units).fill(block.all_weights),
      bias: new Array(4 * units).fill(block.biases),
      peepholes: new Array(3 * units).fill(0),
      recurrentBias: undefined,
      periodUs: block.tau,
      shiftUs: block.s,
      openRatio: new Array(units).fill(block.r_on),
    };
    const kernel = createReferenceKernel();
    const layer = kernel.createLayer(parameters);
    const state = layer.bind(kernel.allocate(layer.stateLength), 0);
    // The test's three times are three members of a batch, each from the same first state.
    block.t.forEach((t, i) => {
      state.c.fill(block.c0);
      state.h.fill(block.h0);
      state.x.set(block.x[i]!);
      layer.stepDense(state, t);
      for (const [actual, expected] of [
        [state.c, block.c[i]!],
        [state.h, block.h[i]!],
      ] as const) {
        expected.forEach((value, j) => {
          const relative = Math.abs(actual[j]! - value) / Math.abs(value);
          expect(relative).toBeLessThanOrEqual(block.rtol);
        });
      }
    });
  });

  for (const name of Object.keys(golden).filter((block) => block.startsWith("seq_"))) {
    const block = golden[name] as GoldenSequence;
    const parameters = goldenParameters(block.layer as GoldenLayer, "phase", block);
    for (const [kernel, tolerance] of kernels) {
      // A kernel that skips work has no leak (spec: D17, section 0 point 3).
      if (parameters.leak > 0 && kernel.name !== "reference-f64") continue;
      it.each(["step", "stepDense"] as const)(`${name}: ${kernel.name} %s`, (method) => {
        const worst = worstOfSequence(kernel, parameters, block.steps, block.x, method);
        expect(worst).toBeLessThanOrEqual(tolerance);
      });
    }
  }

  it("apex_equals_lstm: a gate at its apex gives the plain LSTM with peepholes", () => {
    const block = golden["apex_equals_lstm"] as GoldenSequence;
    const layer = (
      typeof block.layer === "string"
        ? (golden["seq_alpha_0.0"] as GoldenSequence).layer
        : block.layer
    ) as GoldenLayer;
    for (const [kernel, tolerance] of kernels) {
      for (const gate of ["phase", "always"] as const) {
        const oscillator =
          gate === "phase" ? { tau: block.tau, s: block.s, r_on: block.r_on } : undefined;
        const parameters = goldenParameters(layer, gate, oscillator);
        const worst = worstOfSequence(kernel, parameters, block.steps, block.x, "step");
        expect(worst, `${kernel.name} ${gate}`).toBeLessThanOrEqual(tolerance);
      }
    }
  });

  it.each(kernels)("fusion: ticks, hold and read-out (%#)", (kernel, tolerance) => {
    const block = golden.fusion!;
    const graph = goldenGraph(block, kernel);
    const state = createFusionState(graph);
    let worst = 0;
    for (const tick of block.ticks) {
      for (const event of block.events.filter(({ t_us }) => t_us === tick.t_us)) {
        const sensor = event.stream === "audio" ? 0 : 1;
        state.features[sensor]!.set(event.x);
        applyEvent(state, sensor, tick.t_us);
      }
      finishTick(state, tick.t_us);
      const expected = [tick.hA, tick.hV, tick.hM1, tick.hM2];
      expected.forEach((h, i) => {
        worst = Math.max(worst, maxDifference(state.layers[i]!.h, h));
      });
      worst = Math.max(worst, maxDifference(readHead(state, 0), tick.probs));
    }
    expect(block.ticks.length).toBeGreaterThan(0);
    expect(state.progress.ticks).toBe(block.ticks.length);
    expect(worst).toBeLessThanOrEqual(tolerance);
  });
});

/** The golden fusion block as one of our graphs, built through the public specification. */
function goldenGraph(block: GoldenFusion, kernel: Kernel): FusionGraph {
  const layer = (name: string, units: number, inputs: string[], mode: string): object => {
    return { name, cell: "phased-lstm", units, inputs, gate: { mode } };
  };
  const spec = parseGraphSpec({
    format: "polyphase.graph/v1",
    name: "golden",
    time: { origin: "absolute", epochUs: 0 },
    sensors: [
      { name: "audio", kind: "scalar", size: block.A.I },
      { name: "video", kind: "scalar", size: block.V.I },
    ],
    layers: [
      layer("A", block.A.H, ["audio"], "own-event"),
      layer("V", block.V.H, ["video"], "own-event"),
      layer("M1", block.M1.H, ["V", "A"], "phase"),
      layer("M2", block.M2.H, ["M1"], "phase"),
    ],
    heads: [{ name: "out", type: "softmax", inputs: ["M2"], labels: block.bo.map(String) }],
    provenance: {},
  });
  const weights = new Map<string, Tensor>();
  const put = (name: string, shape: number[], values: readonly number[], double = false): void => {
    // Golden values are float64; storing them as such keeps the reference exact.
    const data =
      double || kernel.name === "reference-f64"
        ? Float64Array.from(values)
        : Float32Array.from(values);
    weights.set(name, { shape, data });
  };
  for (const name of ["A", "V", "M1", "M2"] as const) {
    const { I, H, W, U, b, wci, wcf, wco } = block[name];
    put(`${name}.input_weights`, [I, 4 * H], W);
    put(`${name}.recurrent_weights`, [H, 4 * H], U);
    put(`${name}.bias`, [4 * H], b);
    put(`${name}.peepholes`, [3, H], [...wci, ...wcf, ...wco]);
  }
  for (const [name, tau, s] of [
    ["M1", block.tau_m1, block.s_m1],
    ["M2", block.tau_m2, block.s_m2],
  ] as const) {
    const units = block[name].H;
    put(`${name}.period_us`, [units], perUnit(tau, units), true);
    put(`${name}.shift_us`, [units], perUnit(s, units), true);
    put(`${name}.open_ratio`, [units], perUnit(block.r_on, units), true);
  }
  put("out.weights", [block.M2.H, block.bo.length], block.Wo.flat());
  put("out.bias", [block.bo.length], block.bo);
  return createFusionGraph(spec, weights, kernel);
}
