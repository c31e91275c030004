import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { FrameCnn } from "../frames/frame-cnn.ts";
import type { GraphNetwork } from "../graph/graph-network.ts";
import type { SequenceNetwork } from "../network/sequence-network.ts";
import type { OptimizerSpec } from "../optimizers/optimizer.ts";
import { addingDefaults, addingTask } from "./adding.ts";
import { audioVisualDefaults } from "./audio-visual.ts";
import { type BaselineChoices, refuseBaselineChoices } from "./baseline-choices.ts";
import { type FrequencyOptions, frequencyDefaults, frequencyTask } from "./frequency.ts";
import {
  createAudioVisualTask,
  createPenTask,
  type GraphChoices,
  refuseGraphChoices,
} from "./graph-choices.ts";
import { type NmnistOptions, nmnistDefaults, nmnistTask } from "./nmnist.ts";
import { parityDefaults, parityTask } from "./parity.ts";
import { penDefaults } from "./pen.ts";
import type { CellOptions } from "./task-network.ts";
import type { Recipe, TrainTask } from "./train-task.ts";

/** A learnable number of a time gate: τ, s / τ or r_on. */
export type GateNumber = "period" | "shift" | "open-ratio";

/** Share of a run after which a leak has gone. */
const leakZeroFrom = 0.8;

/** Choices by their names on the command line; what is absent is the task's own recipe. */
export interface TaskChoices extends GraphChoices, BaselineChoices {
  readonly batches?: number;
  readonly rate?: number;
  readonly openRatio?: number;
  readonly periodMs?: readonly [from: number, to: number];
  readonly units?: number;
  readonly spread?: CellOptions["gates"]["spread"];
  /** What is learned of the time gates; the rest stays as it starts. */
  readonly learn?: readonly GateNumber[];
  /** Decay per batch of the moving average of the weights, 0 for none. */
  readonly average?: number;
  /** α at the start; it falls to 0 by four fifths of the run. */
  readonly leak?: number;
  /** Weight of the mean r_on in the loss. */
  readonly openPenalty?: number;
  readonly sampling?: FrequencyOptions["sampling"];
  readonly signal?: FrequencyOptions["signal"];
  readonly recordings?: NmnistOptions["recordings"];
  readonly holdOut?: number;
  readonly simulated?: number;
  /** In the place of these of the task's own optimizer. */
  readonly optimizer?: Partial<OptimizerSpec>;
  readonly warmupBatches?: number;
  /** Rate at the end as a share of the peak. */
  readonly finalShare?: number;
  /** Largest norm of the gradient, and largest of its elements. */
  readonly clipNorm?: number;
  readonly clipValue?: number;
  /** Rate of τ, s and r_on as a share of that of the weights. */
  readonly gateRate?: number;
  /** Folder of recordings in the layout of `nmnist/` and `mnist/`. */
  readonly data?: string;
}

export const taskNames: readonly string[] = [
  "frequency",
  "adding",
  "nmnist",
  "parity",
  "audio-visual",
  "pen",
];

/** @param doing what cannot be done with a task of that name: train, evaluate */
export function unknownTask(doing: string, name: string): PolyphaseError {
  return new PolyphaseError(
    "USAGE",
    `Cannot ${doing} ${JSON.stringify(name)}: task must be one of ${taskNames.join(", ")}`,
  );
}

/** Of one layer, of a graph of several sensors, or of frames. */
export type AnyTask = TrainTask<SequenceNetwork | GraphNetwork | FrameCnn>;

/**
 * A task by name.
 *
 * @throws {PolyphaseError} USAGE if there is none of that name, or the choices contradict each other
 */
export async function createTask(name: string, choices: TaskChoices): Promise<AnyTask> {
  requireSense(name, choices);
  const task = await createNamedTask(name, choices);
  const { average, leak, openPenalty, shards } = choices;
  const changes = {
    ...changeSteps(task.recipe, choices),
    ...(average !== undefined && { averageDecay: average }),
    ...(leak !== undefined && { leak: { start: leak, zeroFrom: leakZeroFrom } }),
    ...(openPenalty !== undefined && { openPenalty }),
    ...(shards !== undefined && { shards }),
  };
  return {
    ...task,
    options: { ...task.options, ...changes },
    recipe: { ...task.recipe, ...changes },
  };
}

/** Parts of a recipe that say how steps are taken, where that was chosen. */
function changeSteps(recipe: Recipe, choices: TaskChoices): Partial<Recipe> {
  const { optimizer, warmupBatches, finalShare, clipNorm, clipValue } = choices;
  const { rate, clipping } = recipe;
  return {
    ...(optimizer && { optimizer: { ...recipe.optimizer, ...optimizer } }),
    ...((warmupBatches ?? finalShare) !== undefined && {
      rate: {
        peak: rate.peak,
        warmupBatches: warmupBatches ?? rate.warmupBatches,
        finalShare: finalShare ?? rate.finalShare,
      },
    }),
    ...((clipNorm ?? clipValue) !== undefined && {
      clipping: {
        normMax: clipNorm ?? clipping.normMax,
        valueMax: clipValue ?? clipping.valueMax,
      },
    }),
  };
}

/** Refuses choices that would do nothing, or could not be. */
function requireSense(name: string, choices: TaskChoices): void {
  const { cell = "phased-lstm", leak = 0, openPenalty, learn, shards = 1 } = choices;
  if (shards < 1) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot train ${name}: shards must be at least 1, got ${shards}`,
    );
  }
  const isGraph = name === "audio-visual" || name === "pen";
  refuseBaselineChoices(name, choices);
  if (!isGraph) refuseGraphChoices(name, choices);
  else if (leak > 0) {
    throw new PolyphaseError("USAGE", `Cannot train with a leak: ${name} skips closed units`);
  } else if (choices.identity !== undefined) {
    throw new PolyphaseError("USAGE", `Cannot start from the identity: ${name} is a graph`);
  }
  if (leak > 0 && cell !== "phased-lstm") {
    throw new PolyphaseError(
      "USAGE",
      `Cannot train with a leak: cell must be phased-lstm, whose gate is triangular, got ${cell}`,
    );
  }
  if (openPenalty !== undefined && learn?.includes("open-ratio") !== true) {
    throw new PolyphaseError(
      "USAGE",
      "Cannot charge for open units: open-ratio must be among what is learned",
    );
  }
}

async function createNamedTask(name: string, choices: TaskChoices): Promise<AnyTask> {
  if (name === "frequency") {
    const { sampling, signal } = frequencyDefaults;
    return frequencyTask({
      ...choose(frequencyDefaults, choices),
      sampling: choices.sampling ?? sampling,
      signal: choices.signal ?? signal,
    });
  }
  if (name === "adding") return addingTask(choose(addingDefaults, choices));
  if (name === "parity") return parityTask(choose(parityDefaults, choices));
  if (name === "nmnist") return createNmnistTask(choices);
  if (name === "audio-visual") {
    return createAudioVisualTask(choose(audioVisualDefaults, choices), choices);
  }
  if (name === "pen") return createPenTask(choose(penDefaults, choices), choices);
  throw unknownTask("train", name);
}

function createNmnistTask(choices: TaskChoices): Promise<TrainTask<SequenceNetwork | FrameCnn>> {
  if (choices.data === undefined) {
    throw new PolyphaseError("USAGE", "Cannot train nmnist: --data must name a folder, got none");
  }
  const { recordings, holdOut, simulated, network } = nmnistDefaults;
  const options = {
    ...choose(nmnistDefaults, choices),
    recordings: choices.recordings ?? recordings,
    holdOut: choices.holdOut ?? holdOut,
    simulated: choices.simulated ?? simulated,
    network: choices.network ?? network,
  };
  return nmnistTask(options, choices.data, choices.backend);
}

/** The defaults of a task with what was chosen in their place. */
function choose<T extends CellOptions & { readonly batches: number; readonly rate: number }>(
  defaults: T,
  choices: TaskChoices,
): T {
  const { gates, learn } = defaults;
  const [from, to] = choices.periodMs ?? [gates.periodUs[0] / 1000, gates.periodUs[1] / 1000];
  return {
    ...defaults,
    batches: choices.batches ?? defaults.batches,
    rate: choices.rate ?? defaults.rate,
    op: choices.op ?? defaults.op,
    cell: choices.cell ?? defaults.cell,
    units: choices.units ?? defaults.units,
    ...(choices.identity !== undefined && { identity: choices.identity }),
    gates: {
      periodUs: [from * 1000, to * 1000],
      openRatio: choices.openRatio ?? gates.openRatio,
      spread: choices.spread ?? gates.spread,
    },
    learn: {
      period: choices.learn?.includes("period") ?? learn.period,
      shift: choices.learn?.includes("shift") ?? learn.shift,
      openRatio: choices.learn?.includes("open-ratio") ?? learn.openRatio,
      rateFactor: choices.gateRate ?? learn.rateFactor,
    },
    ...(choices.leak !== undefined && choices.leak > 0 && { evaluate: "all" as const }),
  };
}
