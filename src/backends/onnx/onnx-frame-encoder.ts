import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodedLength } from "../../cells/conv-encoder-shape.ts";
import type { AheadEncoder } from "../../fusion/encoder.ts";
import { frameInput, validateFrame } from "../../fusion/encoders/frame-input.ts";
import type { VideoSensorSpec } from "../../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/**
 * A video sensor's encoder in onnxruntime: frame [1, 1, height, width] → code [1, size].
 *
 * @param model bytes of an ONNX model with one float32 input and one output
 * @param threads one by default: more gains nothing at this size and costs latency when the machine
 *   is busy
 * @throws {PolyphaseError} BAD_MODEL if the model cannot be loaded or has other inputs or outputs
 */
export async function createOnnxFrameEncoder(
  spec: VideoSensorSpec,
  model: Uint8Array,
  threads = 1,
): Promise<AheadEncoder> {
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
  }).catch((cause: unknown) => {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw encoderError(spec, `must load in onnxruntime: ${what}`, cause);
  });
  const [input, ...otherInputs] = session.inputNames;
  const [output, ...otherOutputs] = session.outputNames;
  if (input === undefined || output === undefined || otherInputs.length + otherOutputs.length > 0) {
    throw encoderError(
      spec,
      `must have one input and one output, got ${session.inputNames.length} and ${session.outputNames.length}`,
    );
  }
  const size = encodedLength(spec.width, spec.height);
  return {
    mode: "ahead",
    name: `onnxruntime (${threads} thread${threads === 1 ? "" : "s"})`,
    size,
    validate: (event) => validateFrame(spec, event),
    compute: async (event) => {
      const frame = new Float32Array(spec.width * spec.height);
      frameInput(frame, spec, event);
      const tensor = new Tensor("float32", frame, [1, 1, spec.height, spec.width]);
      const code = (await session.run({ [input]: tensor }))[output]!.data as Float32Array;
      if (code.length !== size) {
        throw encoderError(spec, `must put out ${size} numbers, got ${code.length}`);
      }
      return code;
    },
  };
}

function encoderError(spec: VideoSensorSpec, what: string, cause?: unknown): PolyphaseError {
  return new PolyphaseError("BAD_MODEL", `Cannot use encoder.onnx of ${spec.name}: it ${what}`, {
    cause,
  });
}
