import { encodedLength } from "../../cells/conv-encoder-shape.ts";
import { createFrameInput } from "../../fusion/encoders/frame-input.ts";
import type { VideoSensorSpec } from "../../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { loadOnnxruntime } from "./load-onnxruntime.ts";

/** What turns frames into codes, here or in another thread. */
export interface FrameNetwork {
  readonly name: string;
  /** Numbers per code. */
  readonly size: number;
  /**
   * @param pixels of N frames [N, height, width]; given away with their memory
   * @returns codes [N, size], in memory of their own
   */
  encode(pixels: Uint8Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>;
}

/** So many frames are computed together, where so many wait: more at a time gains nothing. */
const batchSizes = [8, 4] as const;

/**
 * A video sensor's network in onnxruntime: frames [N, 1, height, width] → codes [N, size].
 *
 * Frames are computed together, which saves a fifth of the time and more, if the codes are the bits that
 * each frame alone gives: how frames come to be together must not show. Only numbers of frames that
 * were found so at the start are computed together; a model that takes one frame at a time gets them
 * one by one.
 *
 * @param model bytes of an ONNX model with one float32 input and one output
 * @param threads one by default: more gains nothing at this size and costs latency when the machine
 *   is busy
 * @throws {PolyphaseError} BACKEND_UNAVAILABLE without onnxruntime; BAD_MODEL if the model cannot be
 *   loaded or has other inputs or outputs
 */
export async function loadFrameNetwork(
  spec: VideoSensorSpec,
  model: Uint8Array,
  threads = 1,
): Promise<FrameNetwork> {
  const { width, height } = spec;
  const pixelsPerFrame = width * height;
  const size = encodedLength(width, height);
  const run = await loadNetwork(spec, model, threads);
  const together = await exactBatches(run, pixelsPerFrame).catch((cause: unknown) => {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw networkError(spec, `must take frames of ${width}×${height} pixels: ${what}`, cause);
  });
  const writeInput = createFrameInput(spec);
  // Used again: memory that is new to the process costs more than what is written to it.
  const batches = [...together, 1].map((frames) => ({
    frames,
    input: new Float32Array(frames * pixelsPerFrame),
  }));
  const compute = async (pixels: Uint8Array): Promise<Float32Array<ArrayBuffer>> => {
    const count = pixels.length / pixelsPerFrame;
    const codes = new Float32Array(count * size);
    for (let at = 0; at < count; ) {
      const { frames, input } = batches.find((batch) => batch.frames <= count - at)!;
      writeInput(input, pixels.subarray(at * pixelsPerFrame, (at + frames) * pixelsPerFrame));
      const found = await run(input);
      if (found.length !== frames * size) {
        throw networkError(spec, `must put out ${frames * size} numbers, got ${found.length}`);
      }
      codes.set(found, at * size);
      at += frames;
    }
    return codes;
  };
  // In turn: they share their input.
  let before: Promise<unknown> = Promise.resolve();
  const encode = (pixels: Uint8Array): Promise<Float32Array<ArrayBuffer>> => {
    const codes = before.then(() => compute(pixels));
    before = codes.catch(() => undefined);
    return codes;
  };
  const how = `${threads} thread${threads === 1 ? "" : "s"}`;
  const isSingle = together.length === 0;
  return { name: `onnxruntime (${how}${isSingle ? ", frame by frame" : ""})`, size, encode };
}

/** The network on input that is ready. */
type Run = (input: Float32Array) => Promise<Float32Array>;

async function loadNetwork(
  spec: VideoSensorSpec,
  model: Uint8Array,
  threads: number,
): Promise<Run> {
  const { InferenceSession, Tensor } = await loadOnnxruntime();
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

/** The numbers of frames that a model takes together and gives the bits that each has alone. */
async function exactBatches(run: Run, pixels: number): Promise<readonly number[]> {
  const length = batchSizes[0] * pixels;
  const input = Float32Array.from({ length }, (_, i) => Math.sin(i * i));
  const alone: Float32Array[] = [];
  for (let from = 0; from < length; from += pixels) {
    alone.push(await run(input.subarray(from, from + pixels)));
  }
  const exact: number[] = [];
  for (const frames of batchSizes) {
    const together = await run(input.subarray(0, frames * pixels)).catch(() => undefined);
    const expected = alone.slice(0, frames).flatMap((codes) => [...codes]);
    const isExact = expected.every((value, i) => Object.is(value, together?.[i]));
    if (isExact) exact.push(frames);
  }
  return exact;
}

function networkError(spec: VideoSensorSpec, what: string, cause?: unknown): PolyphaseError {
  return new PolyphaseError("BAD_MODEL", `Cannot use encoder.onnx of ${spec.name}: it ${what}`, {
    cause,
  });
}
