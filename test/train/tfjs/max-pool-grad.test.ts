import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import { replaceMaxPoolGrad } from "../../../src/train/tfjs/max-pool-grad.ts";

// The package's ESM entry is for browsers; Node needs the CommonJS one, which finds its .wasm.
createRequire(import.meta.url)("@tensorflow/tfjs-backend-wasm");

const cases = [
  { shape: [2, 8, 6, 3], filterSize: 2, strides: 2, pad: "valid" },
  { shape: [1, 9, 9, 2], filterSize: 3, strides: 2, pad: "same" },
  { shape: [1, 7, 7, 1], filterSize: 3, strides: 1, pad: "valid" },
] as const;

function poolGradient({ shape, filterSize, strides, pad }: (typeof cases)[number]): Float32Array {
  const random = new Random(8);
  return tf.tidy(() => {
    const size = shape[0] * shape[1] * shape[2] * shape[3];
    // Many windows without a positive value.
    const values = Float32Array.from({ length: size }, () => random.normal() - 1);
    const input = tf.tensor4d(values, [...shape]);
    const output = tf.maxPool(input, filterSize, strides, pad);
    const dy = tf.tensor4d(
      Float32Array.from({ length: output.size }, () => random.normal()),
      output.shape,
    );
    const inputs = { dy, input, output };
    const gradient = tf.engine().runKernel("MaxPoolGrad", inputs, { filterSize, strides, pad });
    return (gradient as tf.Tensor).dataSync() as Float32Array;
  });
}

describe("replaceMaxPoolGrad", () => {
  it.each(cases)("gives the wasm backend what cpu has: $shape $pad", async (one) => {
    await tf.setBackend("cpu");
    const expected = poolGradient(one);
    await tf.setBackend("wasm");
    await tf.ready();
    replaceMaxPoolGrad(tf);
    poolGradient(one).forEach((value, m) => {
      expect(value).toBeCloseTo(expected[m]!, 5);
    });
  });
});
