import { createHash } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { decodeSafetensors, encodeSafetensors } from "../../fusion/safetensors.ts";
import type { Tensor, Weights } from "../../fusion/tensor.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TrainableNetwork } from "../network/trainable-network.ts";
import type { TrainingState } from "./train-network.ts";

const batchName = "run.batch";
const identityName = "run.identity";

/**
 * Writes everything a run needs to go on: parameters, optimizer, average, position, and what
 * recordings carry into their next window. The file
 * appears complete or not at all; the one before it stays until then.
 *
 * @throws {PolyphaseError} FAILED if the disk refuses
 */
export async function saveCheckpoint(
  path: string,
  state: TrainingState<TrainableNetwork>,
): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(encodeSafetensors(checkpointTensors(state)));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new PolyphaseError(
      "FAILED",
      `Cannot save checkpoint ${path}: ${what}; the one before it is kept`,
      { cause },
    );
  }
}

/**
 * Puts a run where a checkpoint left it: the batches after it are bit for bit those of a run that
 * was never interrupted.
 *
 * @throws {PolyphaseError} BAD_CHECKPOINT if it is of another task, recipe, network or seed
 */
export async function loadCheckpoint(
  path: string,
  state: TrainingState<TrainableNetwork>,
): Promise<void> {
  const saved = await readTensors(path);
  const identity = saved.get(identityName);
  if (identity?.data.join() !== identityOf(state).join()) {
    throw badCheckpoint(path, "it must be of the same task, options and seed");
  }
  const targets = checkpointTensors(state);
  for (const [name, { data }] of targets) {
    const tensor = saved.get(name);
    if (tensor?.data.length !== data.length) {
      throw badCheckpoint(
        path,
        `${name} must have ${data.length} numbers, got ${tensor?.data.length ?? "none"}`,
      );
    }
  }
  for (const [name, { data }] of targets) data.set(saved.get(name)!.data);
  state.batch = saved.get(batchName)!.data[0]!;
}

async function readTensors(path: string): Promise<Weights> {
  try {
    return decodeSafetensors(await readFile(path));
  } catch (cause) {
    throw badCheckpoint(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Views on the arrays of the run, by name; those named `run.` are copies. */
function checkpointTensors(state: TrainingState<TrainableNetwork>): Weights {
  const tensors = new Map<string, Tensor>();
  const add = (name: string, data: Float32Array | Float64Array): void => {
    tensors.set(name, { shape: [data.length], data });
  };
  for (const group of state.network.groups) add(`parameters.${group.name}`, group.values);
  for (const [name, data] of state.optimizer.state) add(`optimizer.${name}`, data);
  for (const [name, data] of state.average.state) add(`average.${name}`, data);
  if (state.task.recipe.windows !== undefined) add("carried", state.network.carried);
  add(batchName, Float64Array.of(state.batch));
  add(identityName, identityOf(state));
  return tensors;
}

/** sha256 over task, options, recipe and seed, as eight whole numbers. */
function identityOf({ task, seed }: TrainingState<TrainableNetwork>): Float64Array {
  const text = JSON.stringify([task.name, task.options, task.recipe, seed]);
  const digest = createHash("sha256").update(text).digest();
  return Float64Array.from({ length: 8 }, (_, i) => digest.readUInt32LE(4 * i));
}

function badCheckpoint(path: string, what: string, cause?: unknown): PolyphaseError {
  return new PolyphaseError("BAD_CHECKPOINT", `Cannot resume from ${path}: ${what}`, { cause });
}
