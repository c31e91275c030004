import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { Random } from "../../src/sensors/random.ts";

// The union package would register the gradients; in tfjs-core's build for Node they are missing.
createRequire(import.meta.url)("@tensorflow/tfjs-core/dist/register_all_gradients.js");

const leak = 0.001;
const openRatio = 0.05;

export interface TrainingSizes {
  readonly units: number;
  readonly events: number;
  readonly sequences: number;
  readonly classes: number;
}

/**
 * A training step of the same network composed of tfjs operations, every unit at every event,
 * α = 0.001, τ and s learned: forward, backward and Adam. Gives the loss.
 */
export async function createTfjsTrainingStep(sizes: TrainingSizes): Promise<() => Promise<number>> {
  await tf.setBackend("wasm");
  await tf.ready();
  const random = new Random(1);
  const batch = createBatch(sizes, random);
  const network = createNetwork(sizes, random);
  const optimizer = tf.train.adam(1e-4);
  const variables = Object.values(network);
  return async () => {
    const cost = optimizer.minimize(() => lossOf(network, batch, sizes), true, variables)!;
    const [loss] = await cost.data();
    cost.dispose();
    return loss!;
  };
}

interface Batch {
  /** Of each event: times in ms and inputs [B, 1]. */
  readonly times: readonly tf.Tensor[];
  readonly inputs: readonly tf.Tensor[];
  readonly labels: tf.Tensor;
}

function createBatch({ events, sequences, classes }: TrainingSizes, random: Random): Batch {
  const clock = new Float32Array(sequences);
  const column = (next: (b: number) => number): tf.Tensor =>
    tf.tensor2d(
      Float32Array.from({ length: sequences }, (_, b) => next(b)),
      [sequences, 1],
    );
  const indices = Array.from({ length: events }, (_, j) => j);
  return {
    times: indices.map(() => column((b) => (clock[b]! += 2 * random.uniform()))),
    inputs: indices.map(() => column(() => 2 * random.uniform() - 1)),
    labels: tf.oneHot(
      Array.from({ length: sequences }, (_, b) => b % classes),
      classes,
    ),
  };
}

type Network = Readonly<Record<(typeof parameterNames)[number], tf.Variable>>;
const parameterNames = [
  "weights",
  "bias",
  "ci",
  "cf",
  "co",
  "logPeriod",
  "shift",
  "readout",
  "readoutBias",
] as const;

function createNetwork({ units, classes }: TrainingSizes, random: Random): Network {
  const normal = (rows: number, columns: number): tf.Variable => {
    const values = Float32Array.from({ length: rows * columns }, () => 0.1 * random.normal());
    return tf.variable(tf.tensor2d(values, [rows, columns]));
  };
  const line = (from: number, to: number): tf.Variable =>
    tf.variable(tf.reshape(tf.linspace(from, to, units), [1, units]));
  return {
    weights: normal(1 + units, 4 * units),
    bias: normal(1, 4 * units),
    ci: normal(1, units),
    cf: normal(1, units),
    co: normal(1, units),
    logPeriod: line(Math.log(33), Math.log(55)),
    shift: line(0, 1),
    readout: normal(units, classes),
    readoutBias: normal(1, classes),
  };
}

function lossOf(network: Network, batch: Batch, sizes: TrainingSizes): tf.Scalar {
  const { sequences, units, events } = sizes;
  const period = tf.exp(network.logPeriod);
  let h: tf.Tensor = tf.zeros([sequences, units]);
  let c: tf.Tensor = tf.zeros([sequences, units]);
  for (let j = 0; j < events; j++) {
    const k = opennessOf(batch.times[j]!, period, network.shift);
    const closed = tf.sub(1, k);
    const v = tf.concat([batch.inputs[j]!, h], 1);
    const z = tf.add(tf.matMul(v, network.weights), network.bias);
    const [zi, zf, zg, zo] = tf.split(z, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const i = tf.sigmoid(tf.add(zi, tf.mul(network.ci, c)));
    const f = tf.sigmoid(tf.add(zf, tf.mul(network.cf, c)));
    const newC = tf.add(tf.mul(f, c), tf.mul(i, tf.tanh(zg)));
    const o = tf.sigmoid(tf.add(zo, tf.mul(network.co, newC)));
    h = tf.add(tf.mul(k, tf.mul(o, tf.tanh(newC))), tf.mul(closed, h));
    c = tf.add(tf.mul(k, newC), tf.mul(closed, c));
  }
  const logits = tf.add(tf.matMul(h, network.readout), network.readoutBias);
  return tf.losses.softmaxCrossEntropy(batch.labels, logits);
}

/** k [B, H] of Eq. 6. */
function opennessOf(times: tf.Tensor, period: tf.Tensor, shift: tf.Tensor): tf.Tensor {
  const cycles = tf.sub(tf.div(times, period), shift);
  const phase = tf.sub(cycles, tf.floor(cycles));
  const ramp = tf.relu(tf.sub(1, tf.abs(tf.sub(tf.mul(phase, 2 / openRatio), 1))));
  return tf.add(ramp, tf.mul(tf.mul(phase, leak), tf.step(tf.sub(phase, openRatio))));
}
