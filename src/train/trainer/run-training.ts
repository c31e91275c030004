import { existsSync } from "node:fs";
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TrainableNetwork } from "../network/trainable-network.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import type { TrainingThreads } from "./parallel/training-threads.ts";
import {
  type Measures,
  measureHeldOut,
  type TrainingState,
  type TrainingStep,
  trainBatchOn,
} from "./train-network.ts";

/** Means over the batches since the last report. */
export interface TrainingReport extends Measures {
  /** Batches done. */
  readonly batch: number;
  readonly batches: number;
  readonly rate: number;
  /** Largest gradient norm, before clipping. */
  readonly gradientNorm: number;
  readonly validation: Measures | undefined;
}

export interface RunOptions {
  /** Holds `checkpoint.safetensors` and `train.jsonl`; a checkpoint in it is resumed from. */
  readonly directory: string;
  readonly reportEvery: number;
  /** Batches between validations; a checkpoint is saved at each. */
  readonly validateEvery: number;
  /** Ends the run after so many validations without a smaller loss; 0 never does. */
  readonly patience: number;
  readonly onReport: (report: TrainingReport) => void;
  /** Stops between two batches, after saving a checkpoint. */
  readonly stop: AbortSignal;
  /** Compute the shards of the recipe; this thread does if there are none. */
  readonly threads?: TrainingThreads;
}

/** How a run came to its end. */
export type RunOutcome = "complete" | "stopped-early";

/**
 * Trains to the end of the recipe, reporting, validating and saving on the way.
 *
 * @throws {PolyphaseError} INTERRUPTED after `stop`, with a checkpoint to resume from
 */
export async function runTraining(
  state: TrainingState<TrainableNetwork>,
  options: RunOptions,
): Promise<RunOutcome> {
  const { batches } = state.task.recipe;
  const checkpoint = await beginRun(state, options.directory);
  const means = new RunningMeans();
  const patience = new Patience(options.patience);
  while (state.batch < batches) {
    means.add(await trainBatchOn(options.threads, state));
    const validates = state.batch === batches || state.batch % options.validateEvery === 0;
    if (!validates && state.batch % options.reportEvery !== 0) continue;
    const validation = validates ? measureHeldOut(state, "validation") : undefined;
    const report = { ...means.take(), batch: state.batch, batches, validation };
    await appendLog(join(options.directory, "train.jsonl"), report);
    options.onReport(report);
    // Lets a signal through.
    await setImmediate();
    if (validates || options.stop.aborted) await saveCheckpoint(checkpoint, state);
    if (options.stop.aborted) throw interrupted(state.batch);
    if (validation !== undefined && patience.isOver(validation.loss)) return "stopped-early";
  }
  return "complete";
}

/**
 * Makes the run directory, resumes from a checkpoint in it, and returns the checkpoint's path.
 *
 * @throws {PolyphaseError} FAILED if there can be no such directory
 */
async function beginRun(
  state: TrainingState<TrainableNetwork>,
  directory: string,
): Promise<string> {
  const checkpoint = join(directory, "checkpoint.safetensors");
  await mkdir(directory, { recursive: true }).catch((cause: Error) => {
    throw new PolyphaseError("FAILED", `Cannot make run directory: ${cause.message}`, { cause });
  });
  if (existsSync(checkpoint)) await loadCheckpoint(checkpoint, state);
  return checkpoint;
}

async function appendLog(path: string, report: TrainingReport): Promise<void> {
  try {
    await appendFile(path, `${JSON.stringify(report)}\n`);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new PolyphaseError(
      "FAILED",
      `Cannot log batch ${report.batch}: ${what}; the last checkpoint is kept`,
      { cause },
    );
  }
}

function interrupted(batch: number): PolyphaseError {
  return new PolyphaseError(
    "INTERRUPTED",
    `Interrupted after batch ${batch}: run the same command again to go on`,
  );
}

/** Early stopping: counts validations without a smaller loss. */
class Patience {
  readonly #validations: number;
  #best = Number.POSITIVE_INFINITY;
  #worse = 0;

  constructor(validations: number) {
    this.#validations = validations;
  }

  isOver(loss: number): boolean {
    this.#worse = loss < this.#best ? 0 : this.#worse + 1;
    this.#best = Math.min(this.#best, loss);
    return this.#validations > 0 && this.#worse >= this.#validations;
  }
}

/** Means over the batches added since the last `take`. */
class RunningMeans {
  #steps: TrainingStep[] = [];

  add(step: TrainingStep): void {
    this.#steps.push(step);
  }

  take(): Measures & { readonly rate: number; readonly gradientNorm: number } {
    const steps = this.#steps;
    this.#steps = [];
    const sequences = steps.reduce((sum, step) => sum + step.sequences, 0);
    // A window without an answer has no loss, so answers count and not batches.
    const mean = (pick: (step: Measures) => number): number =>
      steps.reduce((sum, step) => sum + step.sequences * pick(step), 0) / Math.max(1, sequences);
    return {
      sequences,
      loss: mean((step) => step.loss),
      accuracy: mean((step) => step.accuracy),
      openFraction: steps.reduce((sum, step) => sum + step.openFraction, 0) / steps.length,
      rate: steps.at(-1)!.rate,
      gradientNorm: Math.max(...steps.map((step) => step.gradientNorm)),
    };
  }
}
