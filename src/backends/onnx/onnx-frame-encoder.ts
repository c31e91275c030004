import type { AheadEncoder } from "../../fusion/encoder.ts";
import type { VideoSensorSpec } from "../../fusion/spec/graph-spec.ts";
import { createFrameEncoder } from "./create-frame-encoder.ts";
import { loadFrameNetwork } from "./frame-network.ts";

/**
 * A video sensor's encoder in onnxruntime, in this thread.
 *
 * @param model as for {@link loadFrameNetwork}
 * @throws {PolyphaseError} BACKEND_UNAVAILABLE without onnxruntime; BAD_MODEL if the model cannot be
 *   loaded or has other inputs or outputs
 */
export async function createOnnxFrameEncoder(
  spec: VideoSensorSpec,
  model: Uint8Array,
): Promise<AheadEncoder> {
  return createFrameEncoder(spec, await loadFrameNetwork(spec, model));
}
