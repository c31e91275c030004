import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import { registerConv2dBackpropFilter } from "../../../src/train/tfjs/conv2d-backprop-filter.ts";

// The package's ESM entry is for browsers; Node needs the CommonJS one, which finds its .wasm.
createRequire(import.meta.url)("@tensorflow/tfjs-backend-wasm");
registerConv2dBackpropFilter(tf);

interface Case {
  readonly x: [number, number, number, number];
  readonly filterShape: [number, number, number, number];
  readonly strides: number | [number, number];
  readonly pad: "same" | "valid" | number;
}

const cases: readonly Case[] = [
  { x: [3, 12, 9, 2], filterShape: [5, 5, 2, 8], strides: 1, pad: "same" },
  { x: [2, 11, 12, 3], filterShape: [5, 3, 3, 4], strides: 1, pad: "valid" },
  { x: [2, 12, 11, 3], filterShape: [3, 5, 3, 4], strides: [2, 3], pad: "same" },
  // One row and column are left over: no stride reaches them.
  { x: [1, 12, 12, 1], filterShape: [3, 3, 1, 2], strides: 2, pad: "valid" },
  { x: [2, 8, 8, 2], filterShape: [3, 3, 2, 3], strides: 2, pad: 2 },
];

function filterGradient({ x, filterShape, strides, pad }: Case): Float32Array {
  const random = new Random(4);
  const normal = (shape: number[]): tf.Tensor => {
    const size = shape.reduce((product, length) => product * length, 1);
    return tf.tensor(
      Float32Array.from({ length: size }, () => random.normal()),
      shape,
    );
  };
  return tf.tidy(() => {
    const info = tf.backend_util.computeConv2DInfo(x, filterShape, strides, 1, pad);
    const inputs = { x: normal(x), dy: normal(info.outShape) };
    const attributes = { strides, pad, dataFormat: "NHWC" as const, filterShape };
    const gradient = tf.engine().runKernel("Conv2DBackpropFilter", inputs, attributes) as tf.Tensor;
    expect(gradient.shape).toEqual(filterShape);
    return gradient.dataSync() as Float32Array;
  });
}

describe("registerConv2dBackpropFilter", () => {
  it.each(cases)(
    "gives the wasm backend what cpu has: $x $filterShape $strides $pad",
    async (one) => {
      await tf.setBackend("cpu");
      const expected = filterGradient(one);
      await tf.setBackend("wasm");
      const tensors = tf.memory().numTensors;
      const gradient = filterGradient(one);
      expect(tf.memory().numTensors).toBe(tensors);
      const scale = Math.max(...expected.map(Math.abs));
      gradient.forEach((value, m) => {
        expect(Math.abs(value - expected[m]!)).toBeLessThan(1e-5 * scale);
      });
    },
  );
});
