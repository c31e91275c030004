import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { Random } from "../../src/sensors/random.ts";

const leak = 0.001;
const openRatio = 0.05;

/**
 * The forward pass of a batch composed of tfjs operations, every unit at every event, α = 0.001.
 * Less than a training step: tfjs-core's build for Node has no gradients without the union package.
 */
export async function createTfjsForwardPass(
  backend: "wasm" | "cpu",
  sizes: { readonly units: number; readonly events: number; readonly sequences: number },
): Promise<() => Promise<void>> {
  await tf.setBackend(backend);
  await tf.ready();
  const { units, events, sequences } = sizes;
  const random = new Random(1);
  const normal = (shape: [number, number]): tf.Tensor => {
    const data = Float32Array.from({ length: shape[0] * shape[1] }, () => 0.1 * random.normal());
    return tf.tensor2d(data, shape);
  };
  const weights = normal([1 + units, 4 * units]);
  const bias = normal([1, 4 * units]);
  const peepholes = [0, 1, 2].map(() => normal([1, units]));
  const periodMs = tf.reshape(tf.linspace(33, 55, units), [1, units]);
  const shift = tf.reshape(tf.linspace(0, 1, units), [1, units]);
  const times = Array.from({ length: events }, (_, j) => tf.fill([sequences, 1], j));
  const inputs = times.map(() => normal([sequences, 1]));

  const openness = (time: tf.Tensor): tf.Tensor => {
    const cycles = tf.sub(tf.div(time, periodMs), shift);
    const phase = tf.sub(cycles, tf.floor(cycles));
    const ramp = tf.relu(tf.sub(1, tf.abs(tf.sub(tf.mul(phase, 2 / openRatio), 1))));
    return tf.add(ramp, tf.mul(tf.mul(phase, leak), tf.step(tf.sub(phase, openRatio))));
  };
  const lastOutput = (): tf.Tensor => {
    let h: tf.Tensor = tf.zeros([sequences, units]);
    let c: tf.Tensor = tf.zeros([sequences, units]);
    for (let j = 0; j < events; j++) {
      const k = openness(times[j]!);
      const closed = tf.sub(1, k);
      const z = tf.add(tf.matMul(tf.concat([inputs[j]!, h], 1), weights), bias);
      const [zi, zf, zg, zo] = tf.split(z, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const i = tf.sigmoid(tf.add(zi, tf.mul(peepholes[0]!, c)));
      const f = tf.sigmoid(tf.add(zf, tf.mul(peepholes[1]!, c)));
      const newC = tf.add(tf.mul(f, c), tf.mul(i, tf.tanh(zg)));
      const o = tf.sigmoid(tf.add(zo, tf.mul(peepholes[2]!, newC)));
      h = tf.add(tf.mul(k, tf.mul(o, tf.tanh(newC))), tf.mul(closed, h));
      c = tf.add(tf.mul(k, newC), tf.mul(closed, c));
    }
    return h;
  };
  return async () => {
    await tf.setBackend(backend);
    tf.tidy(() => lastOutput().dataSync());
  };
}
