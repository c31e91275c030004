import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { writeModelDirectory } from "../../state/model-directory.ts";
import { type ExportNames, exportModel, isStreamable } from "../../train/export-model.ts";
import { cellNames } from "../../train/tasks/cell-name.ts";
import {
  createTask,
  type GateNumber,
  type TaskChoices,
  taskNames,
} from "../../train/tasks/create-task.ts";
import { runTraining, type TrainingReport } from "../../train/trainer/run-training.ts";
import {
  createTraining,
  measureHeldOut,
  type TrainingState,
} from "../../train/trainer/train-network.ts";
import { learningCurveSvg } from "../format/learning-curve.ts";
import { TrainingProgress } from "../format/training-progress.ts";
import { wholeNumber } from "../model-options.ts";
import { stopSignal } from "../stop-signal.ts";

interface TrainCommandOptions extends TaskChoices {
  readonly out: string;
  readonly seed: number;
  readonly reportEvery: number;
  readonly validateEvery: number;
  readonly patience: number;
  readonly testSequences?: number;
}

/** `polyphase train`: learns a task from scratch, or goes on where it was stopped. */
export function registerTrain(program: Command): void {
  program
    .command("train")
    .description("train a Phased LSTM on a task; run again to resume")
    .argument("<task>", taskNames.join(", "))
    .requiredOption(
      "-o, --out <dir>",
      "run directory: checkpoint, train.jsonl; model/ and curve.svg at the end",
    )
    .option("--seed <n>", "seed of weights and data; equal seeds give equal bits", wholeNumber, 1)
    .option("--batches <n>", "length of the run", wholeNumber)
    .option("--rate <r>", "peak learning rate", positive)
    .option("--open-ratio <r>", "r_on at the start", positive)
    .option("--period-ms <from,to>", "range of τ at the start", range)
    .option("--units <n>", "units of the layer", wholeNumber)
    .addOption(new Option("--cell <name>", "recurrent cell").choices(cellNames))
    .option("--identity <scale>", "U starts as the identity times this, not random", positive)
    .addOption(new Option("--spread <how>", "how gates start").choices(["stratified", "random"]))
    .option(
      "--learn <list>",
      "what is learned of the gates: none, or period,shift,open-ratio",
      gateNumbers,
    )
    .option("--leak <a>", "α at the start; 0 from four fifths of the run on (slow)", decay)
    .option("--open-penalty <w>", "weight of the mean r_on in the loss; learn open-ratio", positive)
    .option("--average <decay>", "moving average of the weights that is tested and kept", decay)
    .addOption(new Option("--op <name>", "how it is computed").choices(["wasm", "typescript"]))
    .addOption(
      new Option("--sampling <how>", "frequency: when the signal is sampled").choices([
        "1ms",
        "0.1ms",
        "async",
      ]),
    )
    .addOption(new Option("--signal <name>", "frequency").choices(["one-sine", "two-sines"]))
    .option("--data <dir>", "nmnist: folder with nmnist/ (recordings, labels) and mnist/")
    .addOption(
      new Option("--recordings <which>", "nmnist: what to train on").choices([
        "mixed",
        "simulated",
        "real",
      ]),
    )
    .addOption(
      new Option("--network <name>", "nmnist: event by event, or a CNN on frames (tfjs)").choices([
        "recurrent",
        "frame-cnn",
      ]),
    )
    .option("--hold-out <n>", "nmnist: real recordings kept for validation", wholeNumber)
    .option("--report-every <n>", "batches between two lines of train.jsonl", wholeNumber, 200)
    .option("--validate-every <n>", "batches between validations", wholeNumber, 2000)
    .option("--patience <n>", "stop after so many validations without gain", wholeNumber, 0)
    .option("--test-sequences <n>", "test on the first so many only; all by default", wholeNumber)
    .addHelpText(
      "after",
      `
Examples:
  polyphase train frequency --out runs/frequency
  polyphase train adding --out runs/adding --batches 20000
  polyphase train nmnist --out runs/nmnist --data ../shared/data --recordings mixed`,
    )
    .action(trainCommand);
}

async function trainCommand(name: string, options: TrainCommandOptions): Promise<void> {
  const task = await createTask(name, {
    ...options,
    backend: process.env["POLYPHASE_BACKEND"] ?? "auto",
  });
  const state = createTraining(task, options.seed);
  const progress = new TrainingProgress(task.name);
  const outcome = await runTraining(state, {
    directory: options.out,
    reportEvery: Math.max(1, options.reportEvery),
    validateEvery: Math.max(1, options.validateEvery),
    patience: options.patience,
    onReport: (report) => progress.report(report),
    stop: stopSignal(),
  });
  // Of training alone: since the last resume, without the test.
  const { user, system } = process.cpuUsage();
  const cpuSeconds = Math.round((user + system) / 1e6);
  progress.end();
  const measured = measureHeldOut(state, "test", options.testSequences);
  // Nothing was held out if there are no sequences.
  const test = measured.sequences === 0 ? undefined : measured;
  const provenance = {
    task: task.name,
    options: JSON.stringify(task.options),
    seed: options.seed,
    batches: state.batch,
    ...(test && {
      testAccuracy: test.accuracy,
      testLoss: test.loss,
      openFraction: test.openFraction,
    }),
    readShare: task.readShare,
  };
  const { name: taskName, sensor, head, labels } = task;
  const names = { name: taskName, sensor, head, labels, provenance };
  const model = await writeModel(state, names, options.out);
  await drawCurve(`${task.name}, seed ${options.seed}`, options.out);
  const result = {
    task: task.name,
    outcome,
    seed: options.seed,
    batches: state.batch,
    cpuSeconds,
    test,
  };
  process.stdout.write(`${JSON.stringify({ ...result, model }, undefined, 2)}\n`);
}

/** @returns the model's directory; undefined for a baseline, which the streaming graph cannot run */
async function writeModel(
  { network, average }: TrainingState,
  names: ExportNames,
  directory: string,
): Promise<string | undefined> {
  if (!isStreamable(network)) {
    console.error(`polyphase: no model/: the streaming graph does not run baselines`);
    return undefined;
  }
  const path = join(directory, "model");
  await writeModelDirectory(
    path,
    average.apply(() => exportModel(network, names)),
  );
  return path;
}

/** `curve.svg` from the whole log: runs before an interruption are in it too. */
async function drawCurve(title: string, directory: string): Promise<void> {
  const log = await readFile(join(directory, "train.jsonl"), "utf8");
  const lines = log.split("\n").filter((line) => line !== "");
  const reports = lines.flatMap(readReport);
  if (reports.length < lines.length) {
    const damaged = lines.length - reports.length;
    console.error(`polyphase: curve.svg leaves out ${damaged} damaged lines of train.jsonl`);
  }
  await writeFile(join(directory, "curve.svg"), learningCurveSvg(title, reports));
}

/** None of a line that was cut off when a run was killed. */
function readReport(line: string): TrainingReport[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

const gateNumberNames: readonly GateNumber[] = ["period", "shift", "open-ratio"];

function gateNumbers(text: string): readonly GateNumber[] {
  const names = text === "none" ? [] : text.split(",");
  const found = gateNumberNames.filter((name) => names.includes(name));
  if (found.length === names.length) return found;
  throw new InvalidArgumentError(`It must be none, or some of ${gateNumberNames.join(",")}.`);
}

function decay(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError("It must be from 0 to below 1.");
  return value;
}

function range(text: string): readonly [number, number] {
  const [from, to] = text.split(",").map(Number);
  if (from !== undefined && to !== undefined && from > 0 && to >= from) return [from, to];
  throw new InvalidArgumentError("It must be two numbers above 0, as 33,55.");
}
