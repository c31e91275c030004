import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { addingDefaults, addingTask } from "./adding.ts";
import { isBaseline, needsTimeInput } from "./cell-name.ts";
import { type FrequencyOptions, frequencyDefaults, frequencyTask } from "./frequency.ts";
import { type NmnistOptions, nmnistDefaults, nmnistTask } from "./nmnist.ts";
import { parityDefaults, parityTask } from "./parity.ts";
import type { CellOptions } from "./task-network.ts";
import type { TrainTask } from "./train-task.ts";

/** A learnable number of a time gate: τ, s / τ or r_on. */
export type GateNumber = "period" | "shift" | "open-ratio";

/** Share of a run after which a leak has gone. */
const leakZeroFrom = 0.8;

/** Choices by their names on the command line; what is absent is the task's own recipe. */
export interface TaskChoices {
  readonly batches?: number;
  readonly rate?: number;
  readonly openRatio?: number;
  readonly periodMs?: readonly [from: number, to: number];
  readonly units?: number;
  readonly cell?: CellOptions["cell"];
  readonly identity?: number;
  readonly spread?: CellOptions["gates"]["spread"];
  /** What is learned of the time gates; the rest stays as it starts. */
  readonly learn?: readonly GateNumber[];
  readonly op?: CellOptions["op"];
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
  readonly network?: NmnistOptions["network"];
  /** Backend of tfjs, for networks that need it. */
  readonly backend?: string;
  /** Folder of recordings in the layout of `nmnist/` and `mnist/`. */
  readonly data?: string;
}

export const taskNames: readonly string[] = ["frequency", "adding", "nmnist", "parity"];

/**
 * A task by name.
 *
 * @throws {PolyphaseError} USAGE if there is none of that name, or the choices contradict each other
 */
export async function createTask(name: string, choices: TaskChoices): Promise<TrainTask> {
  requireSense(choices);
  requireFrames(name, choices);
  const task = await createNamedTask(name, choices);
  const { average, leak, openPenalty } = choices;
  const changes = {
    ...(average !== undefined && { averageDecay: average }),
    ...(leak !== undefined && { leak: { start: leak, zeroFrom: leakZeroFrom } }),
    ...(openPenalty !== undefined && { openPenalty }),
  };
  return {
    ...task,
    options: { ...task.options, ...changes },
    recipe: { ...task.recipe, ...changes },
  };
}

/** Refuses choices that would do nothing, or could not be. */
function requireSense({ cell = "phased-lstm", leak = 0, ...choices }: TaskChoices): void {
  const { openPenalty, learn, op } = choices;
  if (isBaseline(cell) && op === "typescript") {
    throw new PolyphaseError("USAGE", `Cannot train ${cell}: op must be wasm, got typescript`);
  }
  const isGated = !needsTimeInput(cell);
  if (!isGated && learn !== undefined && learn.length > 0) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot learn ${learn.join(",")}: cell must have a time gate, got ${cell}`,
    );
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

/** A CNN sees frames, and has no cell. */
function requireFrames(name: string, { network, cell, learn, leak }: TaskChoices): void {
  if (network !== "frame-cnn") return;
  if (name === "nmnist" && (cell ?? learn ?? leak) === undefined) return;
  throw new PolyphaseError(
    "USAGE",
    `Cannot train ${name} with network frame-cnn: it is for nmnist, and takes no choice of cell or gates`,
  );
}

async function createNamedTask(name: string, choices: TaskChoices): Promise<TrainTask> {
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
  throw new PolyphaseError(
    "USAGE",
    `Cannot train ${JSON.stringify(name)}: task must be one of ${taskNames.join(", ")}`,
  );
}

function createNmnistTask(choices: TaskChoices): Promise<TrainTask> {
  if (choices.data === undefined) {
    throw new PolyphaseError("USAGE", "Cannot train nmnist: --data must name a folder, got none");
  }
  const { recordings, holdOut, network } = nmnistDefaults;
  const options = {
    ...choose(nmnistDefaults, choices),
    recordings: choices.recordings ?? recordings,
    holdOut: choices.holdOut ?? holdOut,
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
      rateFactor: learn.rateFactor,
    },
    ...(choices.leak !== undefined && choices.leak > 0 && { evaluate: "all" as const }),
  };
}
