import { type ConvStage, createConvEncoder } from "../../cells/conv-encoder.ts";
import { encodedLength, encoderStages } from "../../cells/conv-encoder-shape.ts";
import type { VideoEvent } from "../../sensors/sensor-event.ts";
import type { DirectEncoder } from "../encoder.ts";
import type { VideoSensorSpec } from "../spec/graph-spec.ts";
import type { Weights } from "../tensor.ts";
import { createFrameInput, validateFrame } from "./frame-input.ts";

/** The three convolution stages of a video sensor's encoder, from a model's weights. */
export function convStages(spec: VideoSensorSpec, weights: Weights): readonly ConvStage[] {
  return Array.from({ length: encoderStages }, (_, stage) => {
    return {
      weights: weights.get(`${spec.name}.conv${stage + 1}_weights`)!.data,
      bias: weights.get(`${spec.name}.conv${stage + 1}_bias`)!.data,
    };
  });
}

/** The paper's encoder in TypeScript: same bits on every machine, about a hundredfold slower. */
export function createConvFrameEncoder(spec: VideoSensorSpec, weights: Weights): DirectEncoder {
  const encode = createConvEncoder(spec.width, spec.height, convStages(spec, weights));
  const writeInput = createFrameInput(spec);
  const frame = new Float32Array(spec.width * spec.height);
  return {
    mode: "direct",
    name: "conv-typescript",
    size: encodedLength(spec.width, spec.height),
    validate: (event) => validateFrame(spec, event),
    encode: (out, event) => {
      writeInput(frame, (event as VideoEvent).pixels);
      out.set(encode(frame));
    },
  };
}
