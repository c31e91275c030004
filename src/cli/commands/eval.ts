import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import { createGovernorState } from "../../fusion/governor/govern.ts";
import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { Random } from "../../sensors/random.ts";
import { readNmnistRecordings } from "../../train/datasets/nmnist-recordings.ts";
import {
  CapturedSequences,
  type LabelledSequence,
} from "../../train/evaluate/captured-sequences.ts";
import { evaluateAnomalies } from "../../train/evaluate/evaluate-anomalies.ts";
import { type Evaluation, evaluateModel } from "../../train/evaluate/evaluate-model.ts";
import { createTask, taskNames, unknownTask } from "../../train/tasks/create-task.ts";
import { noWarp, writeRecording } from "../../train/tasks/nmnist-presentation.ts";
import { drawPen } from "../../train/tasks/pen-stroke.ts";
import { heldOutRandom } from "../../train/tasks/train-task.ts";
import { writeHeldOut } from "../../train/trainer/batch-feed.ts";
import { addBudgetOptions, type BudgetOptions, governorOf } from "../budget-options.ts";
import { percent } from "../format/numbers.ts";
import { governorFacts } from "../format/summary-text.ts";
import { chooseModel, prepareModel } from "../load-model.ts";
import { addModelOptions, type ModelOptions, wholeNumber } from "../model-options.ts";
import { type GovernorSummary, summariseGovernors } from "../summarise-run.ts";

interface EvalCommandOptions extends ModelOptions, BudgetOptions {
  readonly data?: string;
  readonly rho: number;
  readonly limit?: number;
  readonly without?: string;
  readonly json?: boolean;
}

/** `polyphase eval`: a trained model on labelled sequences, through the streaming graph. */
export function registerEval(program: Command): void {
  const command = program
    .command("eval")
    .description("measure a trained model, event by event, through the streaming graph")
    .argument("<task>", "freq, adding, nmnist, audio-visual or pen");
  addBudgetOptions(addModelOptions(command))
    .option(
      "--data <dir>",
      "nmnist: folder with nmnist/, or that folder: K.bs2 or .tar.gz, and .txt",
    )
    .option("--rho <p>", "probability that an event is kept", share, 1)
    .option("--without <sensor>", "audio-visual: as if this sensor were broken")
    .option("--limit <n>", "first n sequences only", wholeNumber)
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
Examples:
  polyphase eval freq --model fixtures/models/frequency
  polyphase eval freq --model fixtures/models/frequency --budget 200us/s --govern signal-lstm
  polyphase eval audio-visual --model runs/av/model --without video
  polyphase eval pen --model runs/pen/model
  polyphase eval nmnist --model fixtures/models/nmnist --data ../shared/data --rho 0.4 --json`,
    )
    .action(evalCommand);
}

async function evalCommand(name: string, options: EvalCommandOptions): Promise<void> {
  if (options.model === undefined) {
    throw new PolyphaseError("USAGE", "Cannot evaluate: --model must name a directory, got none");
  }
  const task = name === "freq" ? "frequency" : name;
  if (!taskNames.includes(task)) throw unknownTask("evaluate", name);
  const chosen = await chooseModel(options.model, options.seed);
  const { spec } = chosen.stored;
  requireTrainedOn(task, options.model, spec);
  const warn = (message: string): void => console.error(`polyphase: ${message}`);
  const model = await prepareModel(chosen.stored, options, warn);
  if (task === "pen") {
    printAnomalies(model, options);
    return;
  }
  const captured = new CapturedSequences(spec);
  const sequences =
    task === "nmnist"
      ? await recordedSequences(captured, options)
      : await generatedSequences(captured, task, spec, options.without);
  const reading = {
    share: Number(spec.provenance["readShare"] ?? 0),
    ticks: Number(spec.provenance["readTicks"] ?? 1),
  };
  const governor = governorOf(model.graph, options);
  const governing = governor && createGovernorState(governor);
  const evaluation = evaluateModel(model, firstOf(sequences, options.limit), reading, governing);
  const governed = summariseGovernors(governing === undefined ? [] : [governing]);
  const result = { task, model: options.model, rho: options.rho, ...evaluation, ...governed };
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(result, undefined, 2)}\n`
      : `${[text(evaluation), ...governorLines(governed.governor)].join("\n")}\n`,
  );
}

/** Another task's events mean something else, where its sensors take them at all. */
function requireTrainedOn(task: string, model: string, { provenance }: GraphSpec): void {
  const trainedOn = provenance["task"];
  if (trainedOn === undefined || trainedOn === task) return;
  throw new PolyphaseError(
    "BAD_MODEL",
    `Cannot evaluate ${task}: ${model} must be a model of that task, it was trained on ${trainedOn}`,
  );
}

/** How a model that predicts the pen scores strokes with glitches. */
function printAnomalies(model: FusionModel, options: EvalCommandOptions): void {
  const strokes = Array.from({ length: options.limit ?? penStrokes }, (_, index) => {
    return drawPen(heldOutRandom("test", firstPenStroke + index), penAnomalies);
  });
  const evaluation = evaluateAnomalies(model, strokes);
  const { n, anomalies, areaUnderCurve, distanceAreaUnderCurve } = evaluation;
  const result = { task: "pen", model: options.model, ...evaluation };
  const lines = [
    `events             ${n}, ${anomalies} of them glitches`,
    `area under curve   ${areaUnderCurve.toFixed(4)} (distance to the last event: ${distanceAreaUnderCurve.toFixed(4)})`,
    `mean score         ${evaluation.meanScore.toFixed(3)}, of a glitch ${evaluation.meanAnomalyScore.toFixed(3)}`,
  ];
  const json = JSON.stringify(result, undefined, 2);
  process.stdout.write(`${options.json === true ? json : lines.join("\n")}\n`);
}

const penStrokes = 128;
/** Behind those that training is tested on. */
const firstPenStroke = 1_000;
const penAnomalies = 0.02;

/** Sequences are made one by one, as they are evaluated: all together may not fit into memory. */
async function recordedSequences(
  captured: CapturedSequences,
  options: EvalCommandOptions,
): Promise<Iterable<LabelledSequence>> {
  if (options.data === undefined) {
    throw new PolyphaseError(
      "USAGE",
      "Cannot evaluate nmnist: --data must name a folder, got none",
    );
  }
  const inner = join(options.data, "nmnist");
  const recordings = await readNmnistRecordings(existsSync(inner) ? inner : options.data);
  return (function* () {
    for (const { sample, label, events } of recordings) {
      // A recording loses the same events however many others are evaluated.
      const random = new Random(options.seed * 2 ** 32 + sample);
      writeRecording(captured, events, { keep: options.rho, warp: noWarp, random });
      captured.endSequence(label);
      yield* captured.take();
    }
  })();
}

/** The test sequences of a task that makes its data, as the model was trained on. */
async function generatedSequences(
  captured: CapturedSequences,
  name: string,
  spec: GraphSpec,
  without: string | undefined,
): Promise<Iterable<LabelledSequence>> {
  const trained = spec.provenance["options"];
  const choices = typeof trained === "string" ? (JSON.parse(trained) as object) : {};
  const task = await createTask(name, {
    ...("sampling" in choices ? { sampling: choices.sampling as "async" } : {}),
    ...("signal" in choices ? { signal: choices.signal as "one-sine" } : {}),
  });
  const sensor = without === undefined ? undefined : sensorIndex(spec, without);
  return (function* () {
    for (let index = 0; ; index++) {
      writeHeldOut(task, captured, { set: "test", index, without: sensor });
      const sequences = captured.take();
      if (sequences.length === 0) return;
      yield* sequences;
    }
  })();
}

function sensorIndex({ sensors }: GraphSpec, name: string): number {
  const index = sensors.findIndex((sensor) => sensor.name === name);
  if (index >= 0 && sensors.length > 1) return index;
  const names = sensors.map((sensor) => sensor.name).join(", ");
  throw new PolyphaseError(
    "USAGE",
    `Cannot evaluate without ${JSON.stringify(name)}: it must be one of several sensors, the model has ${names}`,
  );
}

function* firstOf<T>(items: Iterable<T>, limit = Number.POSITIVE_INFINITY): Generator<T> {
  if (limit <= 0) return;
  let count = 0;
  for (const item of items) {
    yield item;
    count += 1;
    if (count >= limit) return;
  }
}

function text(evaluation: Evaluation): string {
  const { accuracy, confidenceInterval, meanSquaredError } = evaluation;
  const lines = [`sequences          ${evaluation.n} (${evaluation.events} events)`];
  if (accuracy !== undefined && confidenceInterval !== undefined) {
    const [low, high] = confidenceInterval;
    lines.push(
      `accuracy           ${percent(accuracy)} (95 %: ${percent(low)} to ${percent(high)})`,
    );
  }
  if (meanSquaredError !== undefined)
    lines.push(`mean squared error ${meanSquaredError.toPrecision(4)}`);
  for (const [layer, fraction] of Object.entries(evaluation.openFraction)) {
    const updates = evaluation.updatesPerNeuron[layer]!.toFixed(1);
    lines.push(
      `${layer.padEnd(18)} ${percent(fraction)} open, ${updates} updates per unit and sequence`,
    );
  }
  return lines.join("\n");
}

function governorLines(governor: GovernorSummary | undefined): readonly string[] {
  return governorFacts(governor).map(([name, value]) => `${name.padEnd(18)} ${value}`);
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError("It must be above 0 and at most 1.");
  return value;
}
