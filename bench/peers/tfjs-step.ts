import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { openness, phase } from "../../src/cells/gate.ts";
import type { CreatePeer } from "./peer.ts";

/** tfjs, eager operations. It has no float64: k comes from JavaScript and is one more input. */
export function createTfjsStep(backend: "wasm" | "cpu"): CreatePeer {
  return async (p) => {
    const { inputs, units } = p;
    await tf.setBackend(backend);
    await tf.ready();
    const weights = tf.tensor2d(
      Float32Array.from([...Array.from(p.inputWeights), ...Array.from(p.recurrentWeights)]),
      [inputs + units, 4 * units],
    );
    const bias = tf.tensor1d(Float32Array.from(p.bias));
    const peepholes = Float32Array.from(p.peepholes ?? []);
    const [pi, pf, po] = [0, 1, 2].map((g) =>
      tf.tensor2d(peepholes.subarray(g * units, (g + 1) * units), [1, units]),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor];
    let h: tf.Tensor = tf.zeros([1, units]);
    let c: tf.Tensor = tf.zeros([1, units]);
    const openAt = (timeUs: number): Float32Array =>
      Float32Array.from({ length: units }, (_, j) =>
        openness(phase(timeUs, p.periodUs[j]!, p.shiftUs[j]!), p.openRatio[j]!, 0),
      );
    const step = (row: Float32Array, timeUs: number): [tf.Tensor, tf.Tensor] => {
      const x = tf.tensor2d(row, [1, inputs]);
      const k = tf.tensor2d(openAt(timeUs), [1, units]);
      const rest = tf.sub(1, k);
      const z = tf.add(tf.matMul(tf.concat([x, h], 1), weights), bias);
      const [zi, zf, zg, zo] = tf.split(z, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const i = tf.sigmoid(tf.add(zi, tf.mul(pi, c)));
      const f = tf.sigmoid(tf.add(zf, tf.mul(pf, c)));
      const candidateC = tf.add(tf.mul(f, c), tf.mul(i, tf.tanh(zg)));
      const o = tf.sigmoid(tf.add(zo, tf.mul(po, candidateC)));
      const candidateH = tf.mul(o, tf.tanh(candidateC));
      return [
        tf.add(tf.mul(k, candidateH), tf.mul(rest, h)),
        tf.add(tf.mul(k, candidateC), tf.mul(rest, c)),
      ];
    };
    return {
      async run({ timesUs, rows }, count) {
        await tf.setBackend(backend);
        for (let n = 0; n < count; n++) {
          const next = tf.tidy(() => step(rows[n]!, timesUs[n]!));
          h.dispose();
          c.dispose();
          [h, c] = next;
        }
      },
      output: () => h.dataSync() as Float32Array,
    };
  };
}
