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
  if (code.length !== encodedLength(width, height)) throw new RangeError("Cannot build encoder");
  return (frame) => {
    let input: Plane = { channels: 1, width, height, values: frame };
    plan.forEach((output, stage) => {
      convolvePoolRelu(output, input, stages[stage]!);
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
function convolvePoolRelu(output: Plane, input: Plane, stage: ConvStage): void {
  for (let channel = 0; channel < output.channels; channel++) {
    for (let row = 0; row < output.height; row++) {
      for (let column = 0; column < output.width; column++) {
        const top = 2 * row;
        const left = 2 * column;
        const largest = Math.max(
          convolution(input, stage, channel, top, left),
          convolution(input, stage, channel, top, left + 1),
          convolution(input, stage, channel, top + 1, left),
          convolution(input, stage, channel, top + 1, left + 1),
        );
        const at = (channel * output.height + row) * output.width + column;
        output.values[at] = Math.max(0, largest + stage.bias[channel]!);
      }
    }
  }
}

/** Σ over input channels and the 5×5 window whose upper left corner is (top, left). */
function convolution(
  input: Plane,
  stage: ConvStage,
  channel: number,
  top: number,
  left: number,
): number {
  const { values, width, height, channels } = input;
  const { weights } = stage;
  let sum = 0;
  let w = channel * channels * encoderKernelSide * encoderKernelSide;
  for (let c = 0; c < channels; c++) {
    for (let r = 0; r < encoderKernelSide; r++) {
      const at = (c * height + top + r) * width + left;
      for (let k = 0; k < encoderKernelSide; k++) sum += weights[w++]! * values[at + k]!;
    }
  }
  return sum;
}
