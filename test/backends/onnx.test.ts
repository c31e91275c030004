import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { convEncoderOnnx } from "../../src/backends/onnx/conv-encoder-onnx.ts";
import { createOnnxFrameEncoder } from "../../src/backends/onnx/onnx-frame-encoder.ts";
import { createOnnxFrameEncoderThread } from "../../src/backends/onnx/onnx-frame-encoder-thread.ts";
import { encodeOnnx } from "../../src/backends/onnx/onnx-writer.ts";
import { chooseKernel } from "../../src/cells/kernels/choose-kernel.ts";
import type { LayerParameters } from "../../src/cells/layer-parameters.ts";
import {
  convStages,
  createConvFrameEncoder,
} from "../../src/fusion/encoders/conv-frame-encoder.ts";
import { presets } from "../../src/fusion/presets/presets.ts";
import { seededWeights } from "../../src/fusion/presets/seeded-weights.ts";
import type { VideoSensorSpec } from "../../src/fusion/spec/graph-spec.ts";
import { Random } from "../../src/sensors/random.ts";
import type { VideoEvent } from "../../src/sensors/sensor-event.ts";

const { spec, oscillators } = presets["grid"]!;
const weights = seededWeights(spec, oscillators, new Random(7));
const video = spec.sensors.find((sensor): sensor is VideoSensorSpec => sensor.kind === "video")!;

function randomFrame(random: Random, width = 48): VideoEvent {
  const pixels = Uint8Array.from({ length: width * 48 }, () => random.below(256));
  return {
    kind: "video",
    stream: "s",
    sensor: "video",
    timeUs: 0,
    seq: 0,
    width,
    height: 48,
    pixels,
  };
}

/** The largest pixel of each 6×6 of `frames` frames, no more and no fewer: 64 numbers per frame. */
function poolingOnnx(frames: number): Uint8Array {
  const size = { kernel_shape: [6, 6], strides: [6, 6] };
  return encodeOnnx({
    name: "pooling",
    nodes: [
      { operator: "MaxPool", inputs: ["frame"], outputs: ["pool"], integers: size },
      { operator: "Flatten", inputs: ["pool"], outputs: ["code"], integer: { axis: 1 } },
    ],
    initializers: [],
    inputs: [{ name: "frame", shape: [frames, 1, 48, 48] }],
    outputs: [{ name: "code", shape: [frames, 64] }],
  });
}

/** One dense layer from any number of frames: products whose sums may depend on how many rows there are. */
function denseOnnx(): Uint8Array {
  const random = new Random(8);
  const weights = Float32Array.from({ length: 48 * 48 * 64 }, () => random.normal());
  return encodeOnnx({
    name: "dense",
    nodes: [
      { operator: "Flatten", inputs: ["frame"], outputs: ["flat"], integer: { axis: 1 } },
      { operator: "MatMul", inputs: ["flat", "weights"], outputs: ["code"] },
    ],
    initializers: [{ name: "weights", shape: [48 * 48, 64], data: weights }],
    inputs: [{ name: "frame", shape: [undefined, 1, 48, 48] }],
    outputs: [{ name: "code", shape: [undefined, 64] }],
  });
}

describe("createOnnxFrameEncoder()", () => {
  it("agrees with the TypeScript encoder to 1e-5 of the largest value", async () => {
    const onnx = await createOnnxFrameEncoder(
      video,
      convEncoderOnnx(48, 48, convStages(video, weights)),
    );
    const typescript = createConvFrameEncoder(video, weights);
    expect(onnx.size).toBe(64);
    const random = new Random(3);
    for (let i = 0; i < 5; i++) {
      const frame = randomFrame(random);
      const expected = new Float32Array(64);
      typescript.encode(expected, frame, 0);
      const actual = await onnx.compute(frame);
      const largest = Math.max(...expected.map(Math.abs));
      expect(largest).toBeGreaterThan(0.1);
      expected.forEach((value, d) => {
        expect(Math.abs(actual[d]! - value)).toBeLessThanOrEqual(1e-5 * Math.max(1, largest));
      });
    }
  });

  it.each([
    [
      "takes several frames at a time",
      () => convEncoderOnnx(48, 48, convStages(video, weights)),
      false,
    ],
    ["takes one frame at a time", () => poolingOnnx(1), true],
    // As many as its sums allow on this machine.
    ["ends in a dense layer", denseOnnx, undefined],
  ])(
    "gives frames that come together the bits each has alone, by a model that %s",
    async (_, bytes, isSingle) => {
      const encoder = await createOnnxFrameEncoder(video, bytes());
      const saysSo = encoder.name.includes("frame by frame");
      if (isSingle !== undefined) expect(saysSo).toBe(isSingle);
      const random = new Random(5);
      // More than are handed over at a time, and than go through the network at once.
      const frames = Array.from({ length: 143 }, () => randomFrame(random));
      const together = await Promise.all(frames.map((frame) => encoder.compute(frame)));
      for (const [i, frame] of frames.entries()) {
        expect(together[i]).toEqual(await encoder.compute(frame));
        expect(together[i]).not.toEqual(together[(i + 1) % frames.length]);
      }
    },
  );

  it("refuses frames of another size, and bytes that are no model", async () => {
    const bytes = convEncoderOnnx(48, 48, convStages(video, weights));
    const encoder = await createOnnxFrameEncoder(video, bytes);
    expect(() => encoder.validate(randomFrame(new Random(1), 47))).toThrow(
      "expected 48×48 pixels, got 47×48",
    );
    await expect(createOnnxFrameEncoder(video, new Uint8Array(9))).rejects.toThrow(
      "Cannot use encoder.onnx of video: it must load in onnxruntime",
    );
  });
});

describe("createOnnxFrameEncoderThread()", () => {
  const bytes = convEncoderOnnx(48, 48, convStages(video, weights));
  const entry = new URL("../../dist/backends/onnx/frame-worker.js", import.meta.url);

  it("gives the bits of the encoder in this thread, in whatever order they are asked for", async () => {
    const here = await createOnnxFrameEncoder(video, bytes);
    const beside = await createOnnxFrameEncoderThread(video, bytes, entry);
    const random = new Random(4);
    const frames = Array.from({ length: 20 }, () => randomFrame(random));
    const codes = await Promise.all(frames.map((frame) => beside.compute(frame)));
    for (const [i, frame] of frames.entries()) {
      expect(codes[i]).toEqual(await here.compute(frame));
    }
    expect(beside.size).toBe(here.size);
    expect(() => beside.validate(randomFrame(random, 47))).toThrow("expected 48×48 pixels");
  });

  it("says what is wrong with a model, with the code of the fault", async () => {
    await expect(
      createOnnxFrameEncoderThread(video, new Uint8Array(9), entry),
    ).rejects.toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringContaining("it must load in onnxruntime"),
    });
  });
});

/** onnxruntime's own LSTM with peepholes over one step from a given state: our oracle at k = 1. */
async function onnxLstmStep(
  layer: LayerParameters,
  x: Float32Array,
  h: Float32Array,
  c: Float32Array,
): Promise<{ readonly h: Float32Array; readonly c: Float32Array }> {
  const { inputs, units } = layer;
  // ONNX orders gates i, o, f, c and peepholes i, o, f; our columns are i, f, g, o.
  const gates = [0, 3, 1, 2];
  const transposed = (matrix: ArrayLike<number>, rows: number): Float32Array => {
    const out = new Float32Array(4 * units * rows);
    gates.forEach((gate, g) => {
      for (let j = 0; j < units; j++) {
        for (let d = 0; d < rows; d++) {
          out[(g * units + j) * rows + d] = matrix[d * 4 * units + gate * units + j]!;
        }
      }
    });
    return out;
  };
  const bias = new Float32Array(8 * units);
  gates.forEach((gate, g) => {
    for (let j = 0; j < units; j++) bias[g * units + j] = layer.bias[gate * units + j]!;
  });
  const peepholes = Float32Array.from({ length: 3 * units }, (_, i) => {
    return layer.peepholes![[0, 2, 1][Math.floor(i / units)]! * units + (i % units)]!;
  });
  const model = encodeOnnx({
    name: "lstm",
    nodes: [
      {
        operator: "LSTM",
        inputs: ["X", "W", "R", "B", "", "h0", "c0", "P"],
        outputs: ["", "Y_h", "Y_c"],
        integer: { hidden_size: units },
      },
    ],
    initializers: [
      { name: "W", shape: [1, 4 * units, inputs], data: transposed(layer.inputWeights, inputs) },
      { name: "R", shape: [1, 4 * units, units], data: transposed(layer.recurrentWeights, units) },
      { name: "B", shape: [1, 8 * units], data: bias },
      { name: "P", shape: [1, 3 * units], data: peepholes },
    ],
    inputs: [
      { name: "X", shape: [1, 1, inputs] },
      { name: "h0", shape: [1, 1, units] },
      { name: "c0", shape: [1, 1, units] },
    ],
    outputs: [
      { name: "Y_h", shape: [1, 1, units] },
      { name: "Y_c", shape: [1, 1, units] },
    ],
  });
  const session = await InferenceSession.create(model);
  const result = await session.run({
    X: new Tensor("float32", x, [1, 1, inputs]),
    h0: new Tensor("float32", h, [1, 1, units]),
    c0: new Tensor("float32", c, [1, 1, units]),
  });
  return { h: result["Y_h"]!.data as Float32Array, c: result["Y_c"]!.data as Float32Array };
}

describe("the Phased LSTM at k = 1", () => {
  it.each(["reference-f64", "sparse-f32", "wasm-f32"] as const)(
    "is onnxruntime's LSTM with peepholes (%s)",
    async (name) => {
      const random = new Random(11);
      const [inputs, units] = [5, 7];
      const numbers = (length: number, deviation: number): Float32Array => {
        return Float32Array.from({ length }, () => deviation * random.normal());
      };
      const layer: LayerParameters = {
        cell: "phased-lstm",
        inputs,
        units,
        gate: "own-event",
        leak: 0,
        inputWeights: numbers(inputs * 4 * units, 0.6),
        recurrentWeights: numbers(units * 4 * units, 0.4),
        bias: numbers(4 * units, 0.5),
        peepholes: numbers(3 * units, 0.5),
        recurrentBias: undefined,
        periodUs: [],
        shiftUs: [],
        openRatio: [],
      };
      const { kernel } = chooseKernel(name);
      const ours = kernel.createLayer(layer);
      const state = ours.bind(kernel.allocate(ours.stateLength), 0);
      let h: Float32Array = new Float32Array(units);
      let c: Float32Array = new Float32Array(units);
      for (let step = 0; step < 8; step++) {
        const x = numbers(inputs, 1);
        state.x.set(x);
        ours.step(state, step);
        ({ h, c } = await onnxLstmStep(layer, x, h, c));
        for (let j = 0; j < units; j++) {
          expect(Math.abs(state.h[j]! - h[j]!)).toBeLessThanOrEqual(1e-6);
          expect(Math.abs(state.c[j]! - c[j]!)).toBeLessThanOrEqual(1e-6);
        }
      }
    },
  );
});
