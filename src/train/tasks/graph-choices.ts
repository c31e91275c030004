import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { readModelDirectory } from "../../state/model-directory.ts";
import type { GraphNetwork } from "../graph/graph-network.ts";
import type { GraphPlan } from "../graph/graph-plan.ts";
import {
  type AudioVisualOptions,
  audioVisualDefaults,
  audioVisualParts,
  audioVisualRecordingUs,
  audioVisualTask,
} from "./audio-visual.ts";
import { type PenOptions, penTask } from "./pen.ts";
import { penRecordingUs } from "./pen-stroke.ts";
import type { TrainTask } from "./train-task.ts";

/** Choices that only graphs of several sensors have. */
export interface GraphChoices {
  /** Probability by sensor that a recording is without it. */
  readonly absent?: Readonly<Record<string, number>>;
  /** Probability by sensor that an event is lost. */
  readonly lost?: Readonly<Record<string, number>>;
  /** Share of the inputs of merge layers that is left out. */
  readonly dropout?: number;
  /** Layers and heads that stay as they start. */
  readonly freeze?: readonly string[];
  readonly errors?: GraphPlan["errors"];
  /** Model directory whose layers and heads of the same name are begun with. */
  readonly start?: string;
  /** Errors go back no further than such a window. */
  readonly windowMs?: number;
}

const names: readonly (keyof GraphChoices)[] = [
  "absent",
  "lost",
  "dropout",
  "freeze",
  "errors",
  "start",
  "windowMs",
];
const sensors = ["audio", "video"];

/**
 * @param except choices that the task has all the same
 * @throws {PolyphaseError} USAGE if a choice needs a graph of several sensors and the task is none
 */
export function refuseGraphChoices(
  task: string,
  choices: GraphChoices,
  except: readonly (keyof GraphChoices)[] = [],
): void {
  const chosen = names.find((name) => choices[name] !== undefined && !except.includes(name));
  if (chosen === undefined) return;
  throw new PolyphaseError(
    "USAGE",
    `Cannot train ${task}: ${chosen} needs a graph of several sensors, as audio-visual; ${task} has one`,
  );
}

/**
 * @param options of the task as far as every task has them
 * @throws {PolyphaseError} USAGE if a sensor or part is named that the graph has not; BAD_MODEL if
 *   the model to begin with does not fit
 */
export async function createAudioVisualTask(
  options: AudioVisualOptions,
  choices: GraphChoices,
): Promise<TrainTask<GraphNetwork>> {
  const { masking, dropout, errors } = audioVisualDefaults;
  const freeze = choices.freeze ?? [];
  const stranger = freeze.find((name) => !audioVisualParts.includes(name));
  if (stranger !== undefined) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot freeze ${JSON.stringify(stranger)}: it must be one of ${audioVisualParts.join(", ")}`,
    );
  }
  const together = Object.values(choices.absent ?? {}).reduce((sum, share) => sum + share, 0);
  if (together > 1) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot mask sensors: at most one is absent at a time, so shares must sum to 1 or less, got ${together}`,
    );
  }
  const start = choices.start === undefined ? undefined : await readModelDirectory(choices.start);
  const task = audioVisualTask(
    {
      ...options,
      masking: {
        absent: choices.absent === undefined ? masking.absent : bySensor(choices.absent),
        lost: choices.lost === undefined ? masking.lost : bySensor(choices.lost),
      },
      dropout: choices.dropout ?? dropout,
      errors: choices.errors ?? errors,
      freeze,
      // A checkpoint belongs to the model that was begun with, too.
      ...(start !== undefined && { start: start.hash }),
    },
    start?.weights,
  );
  return inWindows(task, audioVisualRecordingUs, choices);
}

/** @throws {PolyphaseError} USAGE if a choice makes no sense for it */
export function createPenTask(options: PenOptions, choices: GraphChoices): TrainTask<GraphNetwork> {
  refuseGraphChoices("pen", choices, ["windowMs"]);
  return inWindows(penTask(options), penRecordingUs, choices);
}

/** Cuts recordings of at most `recordingUs` into windows, if that is asked for. */
function inWindows(
  task: TrainTask<GraphNetwork>,
  recordingUs: number,
  { windowMs }: GraphChoices,
): TrainTask<GraphNetwork> {
  if (windowMs === undefined) return task;
  const durationUs = Math.round(1000 * windowMs);
  const windows = { count: Math.max(1, Math.ceil(recordingUs / durationUs)), durationUs };
  return { ...task, recipe: { ...task.recipe, windows } };
}

function bySensor(probabilities: Readonly<Record<string, number>>): number[] {
  for (const [name, probability] of Object.entries(probabilities)) {
    if (sensors.includes(name) && probability >= 0 && probability <= 1) continue;
    throw new PolyphaseError(
      "USAGE",
      `Cannot mask ${JSON.stringify(name)} with probability ${probability}: sensors are ${sensors.join(", ")}, probabilities from 0 to 1`,
    );
  }
  return sensors.map((name) => probabilities[name] ?? 0);
}
