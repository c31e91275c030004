import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { type StoredModel, writeModelDirectory } from "../../state/model-directory.ts";
import { exportModel } from "../../train/export-model.ts";
import { FrameCnn } from "../../train/frames/frame-cnn.ts";
import { GraphNetwork } from "../../train/graph/graph-network.ts";
import { exportGraph } from "../../train/graph/graph-weights.ts";
import type { SequenceNetwork } from "../../train/network/sequence-network.ts";
import { cellNames } from "../../train/tasks/cell-name.ts";
import {
  type AnyTask,
  createTask,
  type GateNumber,
  type TaskChoices,
  taskNames,
} from "../../train/tasks/create-task.ts";
import { TrainingThreads } from "../../train/trainer/parallel/training-threads.ts";
import {
  type RunOutcome,
  runTraining,
  type TrainingReport,
} from "../../train/trainer/run-training.ts";
import {
  createTraining,
  type Measures,
  measureHeldOut,
  type TrainingState,
} from "../../train/trainer/train-network.ts";
import { learningCurveSvg } from "../format/learning-curve.ts";
import { TrainingProgress } from "../format/training-progress.ts";
import { wholeNumber } from "../model-options.ts";
import { readConfigFile } from "../read-config-file.ts";
import { stopSignal } from "../stop-signal.ts";
import { addBaselineOptions } from "../train/train-baseline-options.ts";
import {
  type RunChoices,
  type TrainConfig,
  trainConfigSchema,
} from "../train/train-config-schema.ts";
import { addGraphOptions, addThreadOptions } from "../train/train-graph-options.ts";

/** As the command line has them: the rest has defaults. */
interface TrainCommandOptions extends TaskChoices, Omit<RunChoices, "out" | "testSequences"> {
  readonly out?: string;
  readonly testSequences?: number;
}

type TrainChoices = TrainCommandOptions & Pick<RunChoices, "out">;

type AnyTraining = TrainingState<SequenceNetwork | GraphNetwork | FrameCnn>;

/** Parts of a batch where threads are asked for and parts are not. */
const defaultShards = 4;

/** `polyphase train`: learns a task from scratch, or goes on where it was stopped. */
export function registerTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a Phased LSTM on a task; run again to resume")
    .argument("<task>", `${taskNames.join(", ")}, or a file with task and options: .yaml, .json`)
    .option(
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
    .option("--hold-out <n>", "nmnist: real recordings kept for validation", wholeNumber)
    .option("--simulated <n>", "nmnist: different simulated recordings", wholeNumber)
    .option("--report-every <n>", "batches between two lines of train.jsonl", wholeNumber, 200)
    .option("--validate-every <n>", "batches between validations", wholeNumber, 2000)
    .option("--patience <n>", "stop after so many validations without gain", wholeNumber, 0);
  addBaselineOptions(addThreadOptions(addGraphOptions(command)))
    .addHelpText(
      "after",
      `
Examples:
  polyphase train frequency --out runs/frequency
  polyphase train adding --out runs/adding --batches 20000
  polyphase train nmnist --out runs/nmnist --data ../shared/data --recordings mixed
  polyphase train audio-visual --out runs/av --absent audio=0.1,video=0.1 --workers 2
  polyphase train audio-visual --out runs/av-long --window-ms 400
  polyphase train pen --out runs/pen
  polyphase train audio-visual --out runs/adapt --start runs/av/model --errors local
  polyphase train deploy/examples/training/frequency.yaml --out runs/rmsprop --batches 2000

A file has the options by their names, openRatio for --open-ratio, and what only it can say:
optimizer, warmupBatches, finalShare, clipNorm, clipValue, gateRate. The command line goes first.`,
    )
    .action(trainCommand);
}

async function trainCommand(
  taskOrFile: string,
  given: TrainCommandOptions,
  command: Command,
): Promise<void> {
  const { name, options } = await chooseRun(taskOrFile, given, command);
  const shards = options.shards ?? (options.workers > 0 ? defaultShards : undefined);
  const backend = process.env["POLYPHASE_BACKEND"] ?? "auto";
  const choices = { ...options, backend, ...(shards !== undefined && { shards }) };
  const task: AnyTask = await createTask(name, choices);
  const state: AnyTraining = createTraining(task, options.seed);
  const progress = new TrainingProgress(task.name);
  const outcome = await train(state, name, choices, progress);
  // Of training alone: since the last resume, without the test.
  const { user, system } = process.cpuUsage();
  const cpuSeconds = Math.round((user + system) / 1e6);
  progress.end();
  const test = measureTest(state, options.testSequences);
  const model = await writeModel(state, test, options.out);
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

/** What a file says, where the command line does not say it. */
async function chooseRun(
  taskOrFile: string,
  given: TrainCommandOptions,
  command: Command,
): Promise<{ readonly name: string; readonly options: TrainChoices }> {
  const isFile = /\.(ya?ml|json)$/.test(taskOrFile);
  const { task, ...choices }: TrainConfig = isFile
    ? (await readConfigFile(taskOrFile, trainConfigSchema)).value
    : { task: taskOrFile };
  const unsaid = Object.entries(choices).filter(
    ([key]) => command.getOptionValueSource(key) !== "cli",
  );
  const options: TrainCommandOptions = { ...given, ...Object.fromEntries(unsaid) };
  if (options.out !== undefined) return { name: task, options: { ...options, out: options.out } };
  throw new PolyphaseError("USAGE", "Cannot train: --out must name a folder for the run, got none");
}

async function train(
  state: AnyTraining,
  name: string,
  options: TrainChoices,
  progress: TrainingProgress,
): Promise<RunOutcome> {
  const { workers, seed } = options;
  const data = { task: name, choices: options, seed, memory: state.shards! };
  const threads = workers > 0 ? new TrainingThreads(workers, data) : undefined;
  try {
    return await runTraining(state, {
      directory: options.out,
      reportEvery: Math.max(1, options.reportEvery),
      validateEvery: Math.max(1, options.validateEvery),
      patience: options.patience,
      onReport: (report) => progress.report(report),
      stop: stopSignal(),
      ...(threads !== undefined && { threads }),
    });
  } finally {
    await threads?.close();
  }
}

type TestMeasures = Measures & { readonly without?: Readonly<Record<string, Measures>> };

/** Of a graph also without each of its sensors; undefined if nothing was held out. */
function measureTest(state: AnyTraining, sequencesMax?: number): TestMeasures | undefined {
  const test = measureHeldOut(state, "test", { sequencesMax });
  if (test.sequences === 0) return undefined;
  const { network } = state;
  const isFused = network instanceof GraphNetwork && network.plan.spec.sensors.length > 1;
  if (!isFused) return test;
  const without = network.plan.spec.sensors.map(({ name }, sensor) => {
    return [name, measureHeldOut(state, "test", { without: sensor, sequencesMax })] as const;
  });
  return { ...test, without: Object.fromEntries(without) };
}

/** @returns the model's directory; undefined for a baseline, which the streaming graph cannot run */
async function writeModel(
  state: AnyTraining,
  test: TestMeasures | undefined,
  directory: string,
): Promise<string | undefined> {
  const { network } = state;
  if (network.layers.length === 0 || network instanceof FrameCnn) {
    console.error("polyphase: no model/: the streaming graph does not run baselines");
    return undefined;
  }
  const path = join(directory, "model");
  await writeModelDirectory(path, trainedModel(state, network, test));
  return path;
}

function trainedModel(
  state: AnyTraining,
  network: SequenceNetwork | GraphNetwork,
  test: TestMeasures | undefined,
): StoredModel {
  const { task } = state;
  const isGraph = network instanceof GraphNetwork;
  const provenance = {
    task: task.name,
    options: JSON.stringify(task.options),
    seed: state.seed,
    batches: state.batch,
    ...(test && {
      testAccuracy: test.accuracy,
      testLoss: test.loss,
      openFraction: test.openFraction,
    }),
    readShare: task.readShare,
    ...(isGraph && { readTicks: network.parts.heads[0]?.plan.readTicks ?? 1 }),
  };
  const { name, sensor, head, labels } = task;
  return state.average.apply(() => {
    if (isGraph) return exportGraph(network, provenance);
    return exportModel(network, { name, sensor, head, labels, provenance });
  });
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
