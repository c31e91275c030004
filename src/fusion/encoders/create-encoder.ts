import type { Encoder } from "../encoder.ts";
import type { SensorSpec, VideoSensorSpec } from "../spec/graph-spec.ts";
import type { Weights } from "../tensor.ts";
import { createAddressEncoder } from "./address-encoder.ts";
import { createConvFrameEncoder } from "./conv-frame-encoder.ts";
import { createFeatureEncoder } from "./feature-encoder.ts";

/** Makes the encoder of a video sensor, e.g. in onnxruntime. */
export type FrameEncoderFactory = (spec: VideoSensorSpec, weights: Weights) => Encoder;

/** The encoder of one sensor of a graph. */
export function createEncoder(
  spec: SensorSpec,
  weights: Weights,
  frameEncoder: FrameEncoderFactory = createConvFrameEncoder,
): Encoder {
  if (spec.kind === "video") return frameEncoder(spec, weights);
  if (spec.kind === "dvs") {
    return createAddressEncoder(spec, weights.get(`${spec.name}.embedding`)!.data);
  }
  return createFeatureEncoder(spec);
}
