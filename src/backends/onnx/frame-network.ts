import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodedLength } from "../../cells/conv-encoder-shape.ts";
import { createFrameInput } from "../../fusion/encoders/frame-input.ts";
import type { VideoSensorSpec } from "../../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** What turns frames into codes, here or in another thread. */
export interface FrameNetwork {
  readonly name: string;
  /** Numbers per code. */
  readonly size: number;
  /**
   * @param pixels of N frames [N, height, width]
   * @returns codes [N, size]
   */
  encode(pixels: Uint8Array): Promise<Float32Array>;
}

/**
 * A video sensor's network in onnxruntime: frames [N, 1, height, width] → codes [N, size].
 *
 * Frames are computed together, which saves a third of the time, if the codes are the bits that each
 * frame alone gives: how frames come to be together must not show.
 *
 * @param model bytes of an ONNX model with one float32 input and one output
 * @param threads one by default: more gains nothing at this size and costs latency when the machine
 *   is busy
 * @throws {PolyphaseError} BAD_MODEL if the model cannot be loaded or has other inputs or outputs
 */
export async function loadFrameNetwork(
  spec: VideoSensorSpec,
  model: Uint8Array,
  threads = 1,
): Promise<FrameNetwork> {
  const { width, height } = spec;
  const size = encodedLength(width, height);
  const run = await loadNetwork(spec, model, threads);
  const isExact = await isExactTogether(run, width * height).catch((cause: unknown) => {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw networkError(spec, `must take frames of ${width}×${height} pixels: ${what}`, cause);
  });
  const writeInput = createFrameInput(spec);
  let input = new Float32Array(0);
  const compute = async (pixels: Uint8Array): Promise<Float32Array> => {
    if (input.length < pixels.length) input = new Float32Array(pixels.length);
    const frames = input.subarray(0, pixels.length);
    writeInput(frames, pixels);
    const codes = isExact ? await run(frames) : await oneByOne(run, frames, width * height);
    const length = (pixels.length / (width * height)) * size;
    if (codes.length === length) return codes;
    throw networkError(spec, `must put out ${length} numbers, got ${codes.length}`);
  };
  // In turn: they share their input, because memory that is new to the process costs more than the copy.
  let before: Promise<unknown> = Promise.resolve();
  const encode = (pixels: Uint8Array): Promise<Float32Array> => {
    const codes = before.then(() => compute(pixels));
    before = codes.catch(() => undefined);
    return codes;
  };
  return { name: `onnxruntime (${threads} thread${threads === 1 ? "" : "s"})`, size, encode };
}

/** The network on input that is ready. */
type Run = (input: Float32Array) => Promise<Float32Array>;

async function loadNetwork(
  spec: VideoSensorSpec,
  model: Uint8Array,
  threads: number,
): Promise<Run> {
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
  }).catch((cause: unknown) => {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw networkError(spec, `must load in onnxruntime: ${what}`, cause);
  });
  const [input, ...otherInputs] = session.inputNames;
  const [output, ...otherOutputs] = session.outputNames;
  if (input === undefined || output === undefined || otherInputs.length + otherOutputs.length > 0) {
    const { length: inputs } = session.inputNames;
    const { length: outputs } = session.outputNames;
    throw networkError(spec, `must have one input and one output, got ${inputs} and ${outputs}`);
  }
  const { width, height } = spec;
  return async (data) => {
    const shape = [data.length / (width * height), 1, height, width];
    const outputs = await session.run({ [input]: new Tensor("float32", data, shape) });
    return outputs[output]!.data as Float32Array;
  };
}

/** False where a model takes one frame at a time, or gives other bits for several. */
async function isExactTogether(run: Run, pixels: number): Promise<boolean> {
  const input = Float32Array.from({ length: 3 * pixels }, (_, i) => Math.sin(i * i));
  const alone = await oneByOne(run, input, pixels);
  const together = await run(input).catch(() => undefined);
  return together !== undefined && alone.every((value, i) => Object.is(value, together[i]));
}

async function oneByOne(run: Run, input: Float32Array, pixels: number): Promise<Float32Array> {
  const codes: number[] = [];
  for (let from = 0; from < input.length; from += pixels) {
    codes.push(...(await run(input.subarray(from, from + pixels))));
  }
  return Float32Array.from(codes);
}

function networkError(spec: VideoSensorSpec, what: string, cause?: unknown): PolyphaseError {
  return new PolyphaseError("BAD_MODEL", `Cannot use encoder.onnx of ${spec.name}: it ${what}`, {
    cause,
  });
}
