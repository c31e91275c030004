import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "../fusion/safetensors.ts";
import type { GraphSpec } from "../fusion/spec/graph-spec.ts";
import { parseGraphSpec } from "../fusion/spec/parse-graph-spec.ts";
import type { Weights } from "../fusion/tensor.ts";
import { validateWeights } from "../fusion/weight-shapes.ts";
import { PolyphaseError } from "../sensors/polyphase-error.ts";

const graphFile = "graph.json";
const weightsFile = "weights.safetensors";
const encoderFile = "encoder.onnx";

/** A model as it lies on disk. */
export interface StoredModel {
  readonly spec: GraphSpec;
  readonly weights: Weights;
  /** The video encoder for onnxruntime, where the model has one. */
  readonly encoderOnnx: Uint8Array | undefined;
  /** sha256 over the names and bytes of all files. */
  readonly hash: string;
}

/**
 * Reads a model directory: `graph.json`, `weights.safetensors` and, optionally, `encoder.onnx`.
 *
 * @throws {PolyphaseError} BAD_MODEL naming the file and what is wrong in it
 */
export async function readModelDirectory(directory: string): Promise<StoredModel> {
  const graph = await readPart(join(directory, graphFile));
  const weightBytes = await readPart(join(directory, weightsFile));
  const encoderOnnx = await readOptionalPart(join(directory, encoderFile));
  const spec = inFile(join(directory, graphFile), () => parseGraphSpec(parseJson(graph)));
  const weights = inFile(join(directory, weightsFile), () => decodeSafetensors(weightBytes));
  inFile(directory, () => validateWeights(spec, weights));
  return { spec, weights, encoderOnnx, hash: modelHash(graph, weightBytes, encoderOnnx) };
}

/** A model that exists in memory only; the same hash as if it had been written and read. */
export function storedModel(
  spec: GraphSpec,
  weights: Weights,
  encoderOnnx?: Uint8Array,
): StoredModel {
  const hash = modelHash(graphBytes(spec), encodeSafetensors(weights), encoderOnnx);
  return { spec, weights, encoderOnnx, hash };
}

/**
 * Writes a model directory. It appears under its name complete or not at all.
 *
 * @throws {PolyphaseError} FAILED if something of that name exists or the disk refuses
 */
export async function writeModelDirectory(directory: string, model: StoredModel): Promise<void> {
  const temporary = join(dirname(directory), `.${basename(directory)}.partial`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    await writeFile(join(temporary, graphFile), graphBytes(model.spec));
    await writeFile(join(temporary, weightsFile), encodeSafetensors(model.weights));
    if (model.encoderOnnx !== undefined) {
      await writeFile(join(temporary, encoderFile), model.encoderOnnx);
    }
    await rename(temporary, directory);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    const taken = existsSync(directory);
    const why = cause instanceof Error ? cause.message : String(cause);
    const what = taken ? "something of that name is there already" : why;
    throw new PolyphaseError("FAILED", `Cannot write model ${directory}: ${what}`, { cause });
  }
}

function graphBytes(spec: GraphSpec): Uint8Array {
  return Buffer.from(`${JSON.stringify(spec, undefined, 2)}\n`);
}

function modelHash(
  graph: Uint8Array,
  weights: Uint8Array,
  encoderOnnx: Uint8Array | undefined,
): string {
  const hash = createHash("sha256");
  const parts: (readonly [string, Uint8Array | undefined])[] = [
    [graphFile, graph],
    [weightsFile, weights],
    [encoderFile, encoderOnnx],
  ];
  for (const [name, bytes] of parts) {
    if (bytes !== undefined) hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new PolyphaseError("BAD_MODEL", `Cannot use graph: it must be JSON: ${what}`, { cause });
  }
}

async function readPart(path: string): Promise<Uint8Array> {
  const bytes = await readOptionalPart(path);
  if (bytes !== undefined) return bytes;
  throw new PolyphaseError(
    "BAD_MODEL",
    `Cannot read model: ${path} does not exist; a model directory holds ${graphFile} and ${weightsFile}`,
  );
}

async function readOptionalPart(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new PolyphaseError("BAD_MODEL", `Cannot read model: ${path}: ${what}`, { cause });
  }
}

/** Runs `work` and puts the file's name before what it complains of. */
function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PolyphaseError)) throw error;
    throw new PolyphaseError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}
