import {
  encodedLength,
  encoderChannels,
  encoderKernelSide,
  encoderStages,
} from "./conv-encoder-shape.ts";

/** One stage: kernels [16, channelsIn, 5, 5] (output, input, row, column) and bias [16]. */
export interface ConvStage {
  readonly weights: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
}

/**
 * The paper's video encoder in plain TypeScript: three times valid 5×5 convolution to 16 channels,
 * 2×2 max pool, ReLU. It agrees with the same network in onnxruntime to 1e-5 and stands in for it
 * where that cannot be loaded.
 *
 * @param stages 3, first with one input channel, then 16
 * @returns a function from a frame [height · width] to its code [channels · rows · columns], borrowed
 *   until the next call
 */
export function createConvEncoder(
  width: number,
  height: number,
  stages: readonly ConvStage[],
): (frame: Float32Array) => Float32Array {
  if (stages.length !== encoderStages) {
    throw new RangeError(
      `Cannot build encoder: needs ${encoderStages} stages, got ${stages.length}`,
    );
  }
  const plan: Plane[] = [];
  let side: Plane = { channels: 1, width, height, values: new Float32Array(0) };
  for (let stage = 0; stage < encoderStages; stage++) {
    const pooledWidth = Math.floor((side.width - encoderKernelSide + 1) / 2);
    const pooledHeight = Math.floor((side.height - encoderKernelSide + 1) / 2);
    side = {
      channels: encoderChannels,
      width: pooledWidth,
      height: pooledHeight,
      values: new Float32Array(encoderChannels * pooledWidth * pooledHeight),
    };
    plan.push(side);
  }
  const code = plan.at(-1)!.values;
  const sums = new Float64Array(width * height);
  if (code.length !== encodedLength(width, height)) throw new RangeError("Cannot build encoder");
  return (frame) => {
    let input: Plane = { channels: 1, width, height, values: frame };
    plan.forEach((output, stage) => {
      convolvePoolRelu(output, input, stages[stage]!, sums);
      input = output;
    });
    return code;
  };
}

/** Feature maps [channels, height, width]. */
interface Plane {
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** relu(max over 2×2 of (b + Σ w · in)) for every output place. */
function convolvePoolRelu(output: Plane, input: Plane, stage: ConvStage, sums: Float64Array): void {
  const width = input.width - encoderKernelSide + 1;
  const height = input.height - encoderKernelSide + 1;
  for (let channel = 0; channel < output.channels; channel++) {
    convolve(sums, width, height, input, stage, channel);
    const bias = stage.bias[channel]!;
    let at = channel * output.height * output.width;
    for (let row = 0; row < output.height; row++) {
      for (let column = 0; column < output.width; column++) {
        const first = 2 * row * width + 2 * column;
        const upper = Math.max(sums[first]!, sums[first + 1]!);
        const lower = Math.max(sums[first + width]!, sums[first + width + 1]!);
        output.values[at++] = Math.max(0, Math.max(upper, lower) + bias);
      }
    }
  }
}

/**
 * Valid convolution of all input channels to one output channel, one weight at a time over whole
 * rows: the inner loop runs along memory.
 *
 * @param sums receives [height, width]
 */
function convolve(
  sums: Float64Array,
  width: number,
  height: number,
  input: Plane,
  stage: ConvStage,
  channel: number,
): void {
  const { values } = input;
  const kernelSize = encoderKernelSide * encoderKernelSide;
  sums.fill(0, 0, width * height);
  for (let c = 0; c < input.channels; c++) {
    for (let tap = 0; tap < kernelSize; tap++) {
      const weight = stage.weights[(channel * input.channels + c) * kernelSize + tap]!;
      const right = tap % encoderKernelSide;
      const down = (tap - right) / encoderKernelSide;
      for (let row = 0; row < height; row++) {
        let from = (c * input.height + row + down) * input.width + right;
        const end = (row + 1) * width;
        for (let at = row * width; at < end; at++) sums[at] = sums[at]! + weight * values[from++]!;
      }
    }
  }
}
