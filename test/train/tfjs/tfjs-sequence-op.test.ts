import { createRequire } from "node:module";
import * as tfjs from "@tensorflow/tfjs-core";
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

/** The native backend where it is installed and built; it comes with its own tfjs. */
function nativeTfjs(): typeof tfjs | undefined {
  try {
    return createRequire(import.meta.url)("@tensorflow/tfjs-node-gpu");
  } catch {
    return undefined;
  }
}

const tf = tfjs;

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
    const { value, grads } = tf.valueAndGrads((...args: tfjs.Tensor[]) =>
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

/** Losses of a few steps of gradient descent; read-out and loss are operations of the backend. */
async function trainOn(backend: string, tf: typeof tfjs = tfjs): Promise<number[]> {
  await tf.setBackend(backend);
  await tf.ready();
  const op = createWasmSequenceOp(smallShape, limits);
  randomParameters(op, 1);
  randomBatch(op, lengths, 2);
  op.batch.readFrom.set([0, 12]);
  const sequence = createTfjsSequence(tf, op, 2);
  const x = tf.tensor(Float32Array.from(op.batch.x), [events, smallShape.inputs]);
  let rows = tf.tensor(Float32Array.from(op.parameters.rows));
  let peepholes = tf.tensor(Float32Array.from(op.parameters.peepholes), [3, smallShape.units]);
  let weights = tf.mul(tf.ones([smallShape.units, 1]), 0.3);
  const target = tf.tensor(
    Float32Array.from({ length: events }, (_, n) => Math.sin(n)),
    [events, 1],
  );
  const stateH = op.batch.stateH.slice();
  const stateC = op.batch.stateC.slice();
  const losses: number[] = [];
  for (let step = 0; step < 12; step++) {
    op.batch.stateH.set(stateH);
    op.batch.stateC.set(stateC);
    const differentiate = tf.valueAndGrads((...args: tfjs.Tensor[]) =>
      sequence(args[0]!, args[1]!, args[2]!),
    );
    const h = sequence(x, rows, peepholes);
    const error = tf.sub(tf.matMul(h, weights), target);
    losses.push(tf.mean(tf.square(error)).dataSync()[0]!);
    const scaled = tf.mul(error, 2 / events);
    op.batch.stateH.set(stateH);
    op.batch.stateC.set(stateC);
    const { grads } = differentiate([x, rows, peepholes], tf.matMul(scaled, weights, false, true));
    weights = tf.sub(weights, tf.mul(tf.matMul(h, scaled, true), 0.1));
    rows = tf.sub(rows, tf.mul(grads[1]!, 0.1));
    peepholes = tf.sub(peepholes, tf.mul(grads[2]!, 0.1));
  }
  return losses;
}

const native = nativeTfjs();

describe("training on the tfjs backends", () => {
  it.skipIf(native === undefined)("agrees with TensorFlow, where it is installed", async () => {
    const wasm = await trainOn("wasm");
    const tensorflow = await trainOn("tensorflow", native);
    wasm.forEach((loss, step) => {
      expect(Math.abs(loss - tensorflow[step]!)).toBeLessThan(1e-5);
    });
  });
  it("agrees, step by step, and learns", async () => {
    const wasm = await trainOn("wasm");
    const cpu = await trainOn("cpu");
    wasm.forEach((loss, step) => {
      expect(Math.abs(loss - cpu[step]!)).toBeLessThan(1e-5);
    });
    expect(wasm.at(-1)!).toBeLessThan(0.95 * wasm[0]!);
  });
});
