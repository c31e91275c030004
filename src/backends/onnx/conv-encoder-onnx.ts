import type { ConvStage } from "../../cells/conv-encoder.ts";
import {
  encodedLength,
  encoderChannels,
  encoderKernelSide,
} from "../../cells/conv-encoder-shape.ts";
import { encodeOnnx, type OnnxNode, type OnnxTensor } from "./onnx-writer.ts";

/** Names of the one input and the one output. */
const encoderInput = "frame";
const encoderOutput = "code";

/**
 * The paper's video encoder as an ONNX model: frame [N, 1, height, width] → code [N, 64] for 48×48,
 * three times Conv 5×5×16 (valid), MaxPool 2×2, Relu, then Flatten.
 */
export function convEncoderOnnx(
  width: number,
  height: number,
  stages: readonly ConvStage[],
): Uint8Array {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let input = encoderInput;
  stages.forEach(({ weights, bias }, i) => {
    const stage = i + 1;
    const channelsIn = i === 0 ? 1 : encoderChannels;
    const side = encoderKernelSide;
    initializers.push(
      {
        name: `weights${stage}`,
        shape: [encoderChannels, channelsIn, side, side],
        data: Float32Array.from(weights),
      },
      { name: `bias${stage}`, shape: [encoderChannels], data: Float32Array.from(bias) },
    );
    nodes.push(
      {
        operator: "Conv",
        inputs: [input, `weights${stage}`, `bias${stage}`],
        outputs: [`conv${stage}`],
        integers: { kernel_shape: [side, side] },
      },
      {
        operator: "MaxPool",
        inputs: [`conv${stage}`],
        outputs: [`pool${stage}`],
        integers: { kernel_shape: [2, 2], strides: [2, 2] },
      },
      { operator: "Relu", inputs: [`pool${stage}`], outputs: [`relu${stage}`] },
    );
    input = `relu${stage}`;
  });
  nodes.push({
    operator: "Flatten",
    inputs: [input],
    outputs: [encoderOutput],
    integer: { axis: 1 },
  });
  return encodeOnnx({
    name: "conv-encoder",
    nodes,
    initializers,
    inputs: [{ name: encoderInput, shape: [undefined, 1, height, width] }],
    outputs: [{ name: encoderOutput, shape: [undefined, encodedLength(width, height)] }],
  });
}
