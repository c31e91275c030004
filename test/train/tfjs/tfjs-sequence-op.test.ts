import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { describe, expect, it } from "vitest";
import { createTypescriptSequenceOp } from "../../../src/train/sequence-op/typescript-sequence-op.ts";
import { createWasmSequenceOp } from "../../../src/train/sequence-op/wasm-sequence-op.ts";
import { createTfjsSequence } from "../../../src/train/tfjs/tfjs-sequence-op.ts";
import {
  limitsOf,
  randomBatch,
  randomParameters,
  smallShape,
} from "../sequence-op/random-layer.ts";

// The package's ESM entry is for browsers; Node needs the CommonJS one, which finds its .wasm.
createRequire(import.meta.url)("@tensorflow/tfjs-backend-wasm");

const lengths = [12, 7];
const events = 19;
const limits = limitsOf(2, events, smallShape.units);

describe.each(["cpu", "wasm"])("createTfjsSequence on the %s backend", (backend) => {
  it("gives tfjs the outputs and derivatives of the float64 reference", async () => {
    await tf.setBackend(backend);
    await tf.ready();
    const reference = createTypescriptSequenceOp(smallShape, limits, "float64");
    const op = createWasmSequenceOp(smallShape, limits);
    for (const one of [reference, op]) {
      randomParameters(one, 1);
      randomBatch(one, lengths, 2);
      one.batch.readFrom.set([0, 12]);
    }
    const dy = Float32Array.from(reference.batch.hGradient);
    reference.forward(2);
    reference.backward(2);

    const sequence = createTfjsSequence(tf, op, 2);
    const inputs = [
      tf.tensor(Float32Array.from(op.batch.x), [events, smallShape.inputs]),
      tf.tensor(Float32Array.from(op.parameters.rows)),
      tf.tensor(Float32Array.from(op.parameters.peepholes), [3, smallShape.units]),
    ];
    const { value, grads } = tf.valueAndGrads((...args: tf.Tensor[]) =>
      sequence(args[0]!, args[1]!, args[2]!),
    )(inputs, tf.tensor(dy, [events, smallShape.units]));
    const expected = [
      [value, reference.batch.h],
      [grads[0]!, reference.batch.xGradient],
      [grads[1]!, reference.gradients.rows],
      [grads[2]!, reference.gradients.peepholes],
    ] as const;
    for (const [tensor, numbers] of expected) {
      let scale = 0;
      for (const number of numbers) scale = Math.max(scale, Math.abs(number));
      tensor.dataSync().forEach((number, m) => {
        expect(Math.abs(number - numbers[m]!)).toBeLessThan(2e-5 * scale);
      });
    }
    op.gradients.shift.forEach((number, u) => {
      expect(number).toBeCloseTo(reference.gradients.shift[u]!, 3);
    });
  });
});
