import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { addingDefaults, addingTask } from "./adding.ts";
import { type FrequencyOptions, frequencyDefaults, frequencyTask } from "./frequency.ts";
import { type NmnistOptions, nmnistDefaults, nmnistTask } from "./nmnist.ts";
import { parityDefaults, parityTask } from "./parity.ts";
import type { CellOptions } from "./task-network.ts";
import type { TrainTask } from "./train-task.ts";

/** Choices by their names on the command line; what is absent is the task's own recipe. */
export interface TaskChoices {
  readonly batches?: number;
  readonly rate?: number;
  readonly openRatio?: number;
  readonly periodMs?: readonly [from: number, to: number];
  readonly units?: number;
  readonly cell?: CellOptions["cell"];
  readonly spread?: CellOptions["gates"]["spread"];
  readonly learn?: "none" | "period,shift" | "period,shift,open-ratio";
  readonly op?: CellOptions["op"];
  readonly sampling?: FrequencyOptions["sampling"];
  readonly signal?: FrequencyOptions["signal"];
  readonly recordings?: NmnistOptions["recordings"];
  readonly holdOut?: number;
  /** Folder of recordings in the layout of `nmnist/` and `mnist/`. */
  readonly data?: string;
}

export const taskNames: readonly string[] = ["frequency", "adding", "nmnist", "parity"];

/**
 * A task by name.
 *
 * @throws {PolyphaseError} USAGE if there is none of that name
 */
export async function createTask(name: string, choices: TaskChoices): Promise<TrainTask> {
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
  const { recordings, holdOut } = nmnistDefaults;
  const options = {
    ...choose(nmnistDefaults, choices),
    recordings: choices.recordings ?? recordings,
    holdOut: choices.holdOut ?? holdOut,
  };
  return nmnistTask(options, choices.data);
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
    gates: {
      periodUs: [from * 1000, to * 1000],
      openRatio: choices.openRatio ?? gates.openRatio,
      spread: choices.spread ?? gates.spread,
    },
    learn: {
      period: choices.learn === undefined ? learn.period : choices.learn !== "none",
      shift: choices.learn === undefined ? learn.shift : choices.learn !== "none",
      openRatio: choices.learn === "period,shift,open-ratio",
      rateFactor: learn.rateFactor,
    },
  };
}
