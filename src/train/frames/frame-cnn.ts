import type * as tfjs from "@tensorflow/tfjs-core";
import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import type { Random } from "../../sensors/random.ts";
import { crossEntropy } from "../network/loss.ts";
import type { ParameterGroup } from "../network/parameter-group.ts";
import type { BatchResult } from "../network/sequence-network.ts";
import type { BatchSink, TrainableNetwork } from "../network/trainable-network.ts";
import type { SequenceOp } from "../sequence-op/sequence-op.ts";
import { FrameBatch } from "./frame-batch.ts";

/** Sizes of a network of frames. */
export interface FrameCnnSizes {
  readonly frame: SensorSize;
  readonly kernels: number;
  readonly hidden: number;
  readonly outputs: number;
  readonly sequencesMax: number;
}

/** Weights and bias of one layer, and the shape of the weights. */
interface Layer {
  readonly shape: readonly number[];
  readonly weights: ParameterGroup;
  readonly bias: ParameterGroup;
}

/** Tensors of one convolution that its backward pass needs. */
interface ConvolutionTape {
  readonly input: tfjs.Tensor4D;
  readonly filter: tfjs.Tensor4D;
  readonly sum: tfjs.Tensor4D;
  readonly pooled: tfjs.Tensor4D;
}

const filterSize = 5;
const slope = 0.01;
const sameStride1 = { strides: 1, pad: "same", dataFormat: "NHWC" } as const;
const pool2 = { filterSize: 2, strides: 2, pad: "valid" } as const;

/**
 * The baseline of frames (after Neil et al. 2016): three convolutions of 5 × 5 with 2 × 2 pooling and
 * leaky ReLU, a hidden layer, classes. On any backend of tfjs; the backward pass is written out,
 * since tfjs's build for Node differentiates only with its union package.
 */
export class FrameCnn implements TrainableNetwork {
  readonly layers: readonly SequenceOp[] = [];
  /** Pictures hold any number. */
  readonly eventsMax: number = Number.POSITIVE_INFINITY;
  readonly carried: Float32Array = new Float32Array(0);
  readonly stateLength = 0;
  readonly groups: readonly ParameterGroup[];
  readonly #tf: typeof tfjs;
  readonly #sizes: FrameCnnSizes;
  readonly #batch: FrameBatch;
  readonly #convolutions: readonly Layer[];
  readonly #hidden: Layer;
  readonly #output: Layer;

  constructor(tf: typeof tfjs, sizes: FrameCnnSizes, random: Random) {
    const { frame, kernels, hidden, outputs } = sizes;
    this.#tf = tf;
    this.#sizes = sizes;
    this.#batch = new FrameBatch(frame, sizes.sequencesMax);
    this.#convolutions = [2, kernels, kernels].map((channels, i) =>
      createLayer(`convolution${i + 1}`, [filterSize, filterSize, channels, kernels], random),
    );
    const poolings = 2 ** this.#convolutions.length;
    const features =
      kernels * Math.floor(frame.height / poolings) * Math.floor(frame.width / poolings);
    this.#hidden = createLayer("hidden", [features, hidden], random);
    this.#output = createLayer("readout", [hidden, outputs], random);
    const layers = [...this.#convolutions, this.#hidden, this.#output];
    this.groups = layers.flatMap(({ weights, bias }) => [weights, bias]);
  }

  beginBatch(): BatchSink {
    return this.#batch.clear();
  }

  trainBatch(sequences: number): BatchResult {
    return this.#runScoped(sequences, true);
  }

  evaluateBatch(sequences: number): BatchResult {
    return this.#runScoped(sequences, false);
  }

  /** Frees the tensors of the batch. */
  #runScoped(sequences: number, withGradient: boolean): BatchResult {
    const { engine } = this.#tf;
    engine().startScope();
    try {
      return this.#run(sequences, withGradient);
    } finally {
      engine().endScope();
    }
  }

  #run(sequences: number, withGradient: boolean): BatchResult {
    const tf = this.#tf;
    const { frame, outputs } = this.#sizes;
    const length = sequences * frame.height * frame.width * 2;
    let input = tf.tensor4d(this.#batch.pixels.slice(0, length), [
      sequences,
      frame.height,
      frame.width,
      2,
    ]);
    const tapes: ConvolutionTape[] = [];
    for (const layer of this.#convolutions) {
      const tape = this.#convolve(layer, input);
      tapes.push(tape);
      input = tf.leakyRelu(tape.pooled, slope);
    }
    const flat = tf.reshape(input, [sequences, -1]) as tfjs.Tensor2D;
    const hiddenSum = this.#multiply(this.#hidden, flat);
    const hidden = tf.leakyRelu(hiddenSum, slope);
    const logits = this.#multiply(this.#output, hidden).dataSync();
    const losses = this.#measure(logits, sequences);
    if (withGradient) {
      const gradient = tf.tensor2d(losses.gradient, [sequences, outputs]);
      const byHidden = this.#backwardProduct(this.#output, hidden, gradient);
      const byHiddenSum = this.#throughLeakyRelu(byHidden, hiddenSum);
      const byFlat = this.#backwardProduct(this.#hidden, flat, byHiddenSum);
      this.#backwardConvolutions(tapes, tf.reshape(byFlat, input.shape));
    }
    return { ...losses.result, openUnits: sequences, unitEvents: sequences };
  }

  #convolve({ shape, weights, bias }: Layer, input: tfjs.Tensor4D): ConvolutionTape {
    const tf = this.#tf;
    const filter = tf.tensor4d(
      weights.values as Float32Array,
      shape as [number, number, number, number],
    );
    const product = tf.conv2d(input, filter, 1, "same");
    const sum = tf.add(product, tf.tensor1d(bias.values as Float32Array)) as tfjs.Tensor4D;
    return { input, filter, sum, pooled: tf.maxPool(sum, 2, 2, "valid") };
  }

  #multiply({ shape, weights, bias }: Layer, input: tfjs.Tensor2D): tfjs.Tensor2D {
    const tf = this.#tf;
    const matrix = tf.tensor2d(weights.values as Float32Array, shape as [number, number]);
    return tf.add(tf.matMul(input, matrix), tf.tensor1d(bias.values as Float32Array));
  }

  #measure(
    logits: ArrayLike<number>,
    sequences: number,
  ): {
    readonly result: Pick<BatchResult, "sequences" | "loss" | "correct">;
    readonly gradient: Float32Array;
  } {
    const { outputs } = this.#sizes;
    const gradient = new Float32Array(sequences * outputs);
    const own = new Float64Array(outputs);
    let loss = 0;
    let correct = 0;
    for (let b = 0; b < sequences; b++) {
      const values = Float64Array.from({ length: outputs }, (_, k) => logits[b * outputs + k]!);
      const result = crossEntropy(own, values, this.#batch.targets[b]!, 1 / sequences);
      gradient.set(own, b * outputs);
      loss += result.loss;
      correct += result.correct ? 1 : 0;
    }
    return { result: { sequences, loss, correct }, gradient };
  }

  /** @returns the derivative by the input */
  #backwardProduct(
    { shape, weights, bias }: Layer,
    input: tfjs.Tensor2D,
    gradient: tfjs.Tensor2D,
  ): tfjs.Tensor2D {
    const tf = this.#tf;
    const matrix = tf.tensor2d(weights.values as Float32Array, shape as [number, number]);
    addTo(weights.gradient, tf.matMul(input, gradient, true, false).dataSync());
    addTo(bias.gradient, tf.sum(gradient, 0).dataSync());
    return tf.matMul(gradient, matrix, false, true);
  }

  /** @param byOutput derivative by the last layer's output, after leaky ReLU */
  #backwardConvolutions(tapes: readonly ConvolutionTape[], byOutput: tfjs.Tensor): void {
    const tf = this.#tf;
    let gradient = byOutput;
    for (let i = tapes.length - 1; i >= 0; i--) {
      const { input, filter, sum, pooled } = tapes[i]!;
      const { weights, bias } = this.#convolutions[i]!;
      const byPooled = this.#throughLeakyRelu(gradient, pooled);
      const bySum = this.#kernel(
        "MaxPoolGrad",
        { dy: byPooled, input: sum, output: pooled },
        pool2,
      );
      const filterAttributes = { ...sameStride1, filterShape: filter.shape };
      const byFilter = this.#kernel(
        "Conv2DBackpropFilter",
        { x: input, dy: bySum },
        filterAttributes,
      );
      addTo(weights.gradient, byFilter.dataSync());
      addTo(bias.gradient, tf.sum(bySum, [0, 1, 2]).dataSync());
      if (i === 0) return;
      const inputAttributes = { ...sameStride1, inputShape: input.shape };
      gradient = this.#kernel("Conv2DBackpropInput", { dy: bySum, filter }, inputAttributes);
    }
  }

  #throughLeakyRelu<T extends tfjs.Tensor>(gradient: T, input: tfjs.Tensor): T {
    const tf = this.#tf;
    return tf.where(tf.greater(input, 0), gradient, tf.mul(gradient, slope)) as T;
  }

  #kernel(name: string, inputs: Record<string, tfjs.Tensor>, attributes: object): tfjs.Tensor {
    return this.#tf.engine().runKernel(name, inputs, { ...attributes });
  }
}

/** Weights normal with the variance that keeps that of the sums (He et al. 2015), bias 0. */
function createLayer(name: string, shape: readonly number[], random: Random): Layer {
  const inputs = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const outputs = shape.at(-1)!;
  const deviation = Math.sqrt(2 / inputs);
  const group = (suffix: string, values: Float32Array, decays: boolean): ParameterGroup => ({
    name: `${name}.${suffix}`,
    values,
    gradient: new Float32Array(values.length),
    rateFactor: 1,
    decays,
  });
  const weights = Float32Array.from(
    { length: inputs * outputs },
    () => deviation * random.normal(),
  );
  return {
    shape,
    weights: group("weight", weights, true),
    bias: group("bias", new Float32Array(outputs), false),
  };
}

function addTo(target: ParameterGroup["gradient"], source: ArrayLike<number>): void {
  for (let m = 0; m < target.length; m++) target[m]! += source[m]!;
}
