import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convEncoderOnnx } from "../backends/onnx/conv-encoder-onnx.ts";
import { chooseKernel } from "../cells/kernels/choose-kernel.ts";
import type { KernelName } from "../cells/kernels/kernel.ts";
import type { Encoder } from "../fusion/encoder.ts";
import { convStages } from "../fusion/encoders/conv-frame-encoder.ts";
import { createFusionModel, type FusionModel } from "../fusion/fusion-model.ts";
import { presets } from "../fusion/presets/presets.ts";
import { seededWeights } from "../fusion/presets/seeded-weights.ts";
import type { VideoSensorSpec } from "../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import { Random } from "../sensors/random.ts";
import { readModelDirectory, type StoredModel, storedModel } from "../state/model-directory.ts";

/** A stored model and where its weights come from, for people to read. */
export interface ChosenModel {
  readonly stored: StoredModel;
  readonly origin: string;
  /** False for seeded weights: predictions mean nothing then. */
  readonly trained: boolean;
}

/** A thread's entry is a built module; there is none when the sources run, in tests. */
const canUseThread: boolean = availableParallelism() > 1 && import.meta.url.endsWith(".js");

const shippedModels: string = fileURLToPath(new URL("../../fixtures/models", import.meta.url));

/**
 * A model by directory, or by the name of a preset: trained weights if they are shipped, seeded
 * ones otherwise.
 *
 * @throws {PolyphaseError} BAD_MODEL
 */
export async function chooseModel(nameOrDirectory: string, seed: number): Promise<ChosenModel> {
  if (existsSync(nameOrDirectory)) {
    return {
      stored: await readModelDirectory(nameOrDirectory),
      origin: nameOrDirectory,
      trained: true,
    };
  }
  const shipped = join(shippedModels, nameOrDirectory);
  if (/^[\w-]+$/.test(nameOrDirectory) && existsSync(shipped)) {
    return { stored: await readModelDirectory(shipped), origin: shipped, trained: true };
  }
  return {
    stored: presetModel(nameOrDirectory, seed),
    origin: `seed ${seed}`,
    trained: false,
  };
}

/** A preset network with seeded weights and its video encoder as ONNX. */
export function presetModel(name: string, seed: number): StoredModel {
  const preset = presets[name];
  if (preset === undefined) {
    throw new PolyphaseError(
      "BAD_MODEL",
      `Cannot find model ${JSON.stringify(name)}: it must be a directory or one of ${Object.keys(presets).join(", ")}`,
    );
  }
  const spec = { ...preset.spec, provenance: { weights: "seeded, untrained", seed } };
  const weights = seededWeights(spec, preset.oscillators, new Random(seed));
  const video = spec.sensors.find((sensor): sensor is VideoSensorSpec => sensor.kind === "video");
  const onnx = video && convEncoderOnnx(video.width, video.height, convStages(video, weights));
  return storedModel(spec, weights, onnx);
}

/** How a model is to be run. */
export interface RunOptions {
  readonly kernel: KernelName | "auto";
  /** `auto`: onnxruntime where it loads, else TypeScript with a word on stderr. */
  readonly encoder: "auto" | "onnx" | "typescript";
}

/**
 * Makes a stored model ready to run.
 *
 * @param frames where onnxruntime encodes them: `beside` in a thread of its own, if there can be one
 */
export async function prepareModel(
  stored: StoredModel,
  options: RunOptions,
  warn: (message: string) => void,
  frames: "here" | "beside" = "beside",
): Promise<FusionModel> {
  const video = stored.spec.sensors.find((sensor) => sensor.kind === "video");
  const useThread = frames === "beside" && canUseThread;
  const onnx = video && (await onnxEncoder(stored, video, options.encoder, warn, useThread));
  const { kernel, reason } = chooseKernel(options.kernel);
  if (options.kernel === "auto" && kernel.name !== "wasm-f32") {
    warn(`layers are computed by ${kernel.name}: ${reason}`);
  }
  return createFusionModel(
    stored.spec,
    stored.weights,
    stored.hash,
    kernel,
    onnx && ((): Encoder => onnx),
  );
}

async function onnxEncoder(
  stored: StoredModel,
  video: VideoSensorSpec,
  choice: RunOptions["encoder"],
  warn: (message: string) => void,
  useThread: boolean,
): Promise<Encoder | undefined> {
  if (choice === "typescript") return undefined;
  const bytes =
    stored.encoderOnnx ??
    convEncoderOnnx(video.width, video.height, convStages(video, stored.weights));
  try {
    // Loaded on demand: graphs without video, and machines without onnxruntime, never pay for it.
    if (useThread) {
      const thread = await import("../backends/onnx/onnx-frame-encoder-thread.ts");
      return await thread.createOnnxFrameEncoderThread(video, bytes);
    }
    const { createOnnxFrameEncoder } = await import("../backends/onnx/onnx-frame-encoder.ts");
    return await createOnnxFrameEncoder(video, bytes);
  } catch (error) {
    const isAway = error instanceof PolyphaseError && error.code === "BACKEND_UNAVAILABLE";
    if (choice === "onnx" || !isAway) throw error;
    warn(`frames go through the TypeScript encoder: ${error.message}`);
    return undefined;
  }
}
