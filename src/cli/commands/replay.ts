import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { finished } from "node:stream/promises";
import type { Command } from "commander";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { GoldenLines } from "../../streams/ndjson/golden-lines.ts";
import { NdjsonSink } from "../../streams/ndjson/ndjson-sink.ts";
import { Pace } from "../../streams/replay/pace.ts";
import {
  addBudgetOptions,
  addDecisionsOption,
  type BudgetOptions,
  budgetText,
  openBudget,
} from "../budget-options.ts";
import { addCropOptions, type CropOptions, graphCroppers, openCrop } from "../crop-options.ts";
import { findRecordings } from "../find-recordings.ts";
import { summaryText } from "../format/summary-text.ts";
import { addLateOptions, type LateOptions, latePolicy } from "../late-options.ts";
import { chooseModel, prepareModel } from "../load-model.ts";
import { addModelOptions, type ModelOptions } from "../model-options.ts";
import { openOutput } from "../open-output.ts";
import { presetOfFile } from "../preset-for.ts";
import {
  addRecordOptions,
  dumpOnSignal,
  openRecorder,
  type RecordOptions,
} from "../record/record-options.ts";
import { controlByKeys } from "../replay/keyboard.ts";
import { replayInParallel } from "../replay/parallel/replay-in-parallel.ts";
import {
  addReplayOptions,
  checkReplayOptions,
  type ReplayOptions,
} from "../replay/replay-options.ts";
import { type ReplayRequest, runReplay } from "../run-replay.ts";
import { stopSignal } from "../stop-signal.ts";
import type { RunSummary } from "../summarise-run.ts";

interface ReplayCommandOptions
  extends ModelOptions,
    LateOptions,
    BudgetOptions,
    ReplayOptions,
    RecordOptions,
    CropOptions {
  readonly json?: boolean;
  readonly ndjson?: boolean;
  readonly out?: string;
  readonly assert?: string;
  readonly dense?: boolean;
}

/** `polyphase replay`: recordings through a model. */
export function registerReplay(program: Command): void {
  const command = program
    .command("replay")
    .description("replay recordings through a fusion graph and write its predictions")
    .argument("<recording...>", "MCAP files, or directories of them");
  addDecisionsOption(
    addBudgetOptions(addRecordOptions(addReplayOptions(addLateOptions(addModelOptions(command))))),
  );
  addCropOptions(command, "pictures are recorded as the model takes them")
    .option("--json", "print one summary object on stdout and nothing else")
    .option("--ndjson", "print predictions on stdout, one JSON object per line")
    .option("-o, --out <file>", "write predictions to a file, one JSON object per line")
    .option("--assert <file>", "fail at the first prediction that is not that of this file")
    .option("--dense", "evaluate every unit, for comparison: same predictions, more work")
    .addHelpText(
      "after",
      `
Examples:
  polyphase replay fixtures/scenes                      summary of all scenes
  polyphase replay day1.mcap --model models/lips --out predictions.ndjson
  polyphase replay day1.mcap --lateness 20 --late rewind --horizon 2000
  polyphase replay day1.mcap --budget 500us/s --govern merge-1 --decisions decisions.ndjson
  polyphase replay day1.mcap --json | jq .openFraction
  polyphase replay day1.mcap --rate 1 --start-paused --ndjson   space: go on, →: one tick
  polyphase replay day1.mcap --record log --rotate-every 10m    record the run, with its states
  polyphase replay log --start 3600 --end 3660 --ndjson         from the nearest state, exact
  polyphase replay log --parallel 4 --assert golden.ndjson      check every state, and every word
  polyphase replay camera.mcap --model models/lips --crop detector --detector face.onnx

A recording made with --record is replayed as it was applied then: with the late policy of then, and
without asking again what was late. --by log merges it anew, as its items arrived.`,
    )
    .action((recordings: readonly string[], options: ReplayCommandOptions, self: Command) =>
      replayCommand(recordings, options, self.getOptionValueSource("late") !== "default"),
    );
}

async function replayCommand(
  recordings: readonly string[],
  options: ReplayCommandOptions,
  saysWhatIsLate: boolean,
): Promise<void> {
  if (options.json === true && options.ndjson === true) {
    throw new PolyphaseError("USAGE", "Cannot print --json and --ndjson at once: choose one");
  }
  checkReplayOptions(options, process.stdin.isTTY);
  const paths = await findRecordings(recordings);
  checkRecordTarget(options.record, paths);
  const { seed, model: name = await presetOfFile(paths[0]!) } = options;
  const chosen = await chooseModel(name, seed);
  if (!chosen.trained) warn(`${chosen.stored.spec.name} has untrained weights (${chosen.origin})`);
  // Threads that replay side by side keep the cores busy: frames are encoded in each.
  const frames = options.parallel === undefined ? "beside" : "here";
  const model = await prepareModel(chosen.stored, options, warn, frames);
  const budget = await openBudget(model.graph, options);
  const golden = options.assert === undefined ? undefined : await openGolden(options.assert);
  const file = options.out === undefined ? undefined : await openOutput(options.out);
  const out = file ?? (options.ndjson === true ? process.stdout : undefined);
  const sink = new NdjsonSink(
    out,
    golden === undefined ? undefined : (text) => golden.compare(text),
  );
  const stop = stopSignal();
  const request: ReplayRequest = {
    ...requestOf(options, model, saysWhatIsLate),
    ...{ paths, weights: chosen.origin, sink, digest: sink, stop },
    ...budget.request,
    ...graphCroppers(model.graph, await openCrop(options, warn)),
    budget: budgetText(options),
  };
  const kernel = model.graph.kernel.name;
  const summary =
    options.parallel === undefined
      ? await replayHere(request, options)
      : await replayInParallel(request, options.parallel, {
          ...{ stored: chosen.stored, kernel, encoder: options.encoder },
        });
  if (!stop.aborted) golden?.end();
  if (file !== undefined) await finished(file.end());
  await budget.close();
  if (options.json === true) process.stdout.write(`${JSON.stringify(summary, undefined, 2)}\n`);
  else if (options.ndjson !== true) process.stdout.write(`${summaryText(summary)}\n`);
  if (stop.aborted) throw new PolyphaseError("INTERRUPTED", "Interrupted: the rest was not read");
}

const orderOf = { recorded: "recorded", log: "received", sensor: "event" } as const;

/** What is to be replayed how, but for where it comes from and goes to. */
function requestOf(
  options: ReplayCommandOptions,
  model: FusionModel,
  saysWhatIsLate: boolean,
): Omit<ReplayRequest, "paths" | "weights" | "sink" | "digest"> {
  const { start, end, sensors, loop } = options;
  return {
    model,
    order: orderOf[options.by ?? "recorded"],
    latenessUs: Math.round(options.lateness * 1000),
    ...(saysWhatIsLate ? { late: latePolicy(options) } : {}),
    mode: options.dense === true ? "dense" : "sparse",
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(sensors === undefined ? {} : { sensors: wantedSensors(sensors, model) }),
    times: loop === true ? Number.POSITIVE_INFINITY : (loop ?? 1),
    warn,
  };
}

/** Replays in this thread, at the pace and with the recorder that the options ask for. */
async function replayHere(
  request: ReplayRequest,
  options: ReplayCommandOptions,
): Promise<RunSummary> {
  const { record, rate, startPaused = false } = options;
  const atEnd: (() => void)[] = [];
  let pace: Pace | undefined;
  const createPace = (fromUs: TimeUs | undefined): Pace => {
    // What follows the first recording need not be started again.
    const isFirst = pace === undefined;
    const perSecond = rate === "max" ? Number.POSITIVE_INFINITY : rate;
    pace = new Pace({ rate: perSecond, startPaused: startPaused && isFirst, fromUs });
    return pace;
  };
  const isPaced = rate !== "max" || startPaused;
  if (isPaced && process.stdin.isTTY) {
    atEnd.push(
      controlByKeys(
        process.stdin,
        () => pace,
        () => process.kill(process.pid, "SIGINT"),
      ),
    );
  }
  const recorder: ReplayRequest["recorder"] = async (path, late) => {
    const name = basename(path, ".mcap");
    const created = await openRecorder(
      { ...options, record: record! },
      name,
      randomUUID(),
      request.model,
      late,
    );
    if (options.ring !== undefined) atEnd.push(dumpOnSignal(created, warn));
    return created;
  };
  try {
    return await runReplay({
      ...request,
      ...(isPaced ? { pace: createPace } : {}),
      ...(record === undefined ? {} : { recorder }),
    });
  } finally {
    for (const end of atEnd) end();
  }
}

function warn(message: string): void {
  console.error(`polyphase: ${message}`);
}

function checkRecordTarget(record: string | undefined, paths: readonly string[]): void {
  if (record?.endsWith(".mcap") !== true || paths.length === 1) return;
  throw new PolyphaseError(
    "USAGE",
    `Cannot record ${paths.length} recordings in one file ${record}: name a directory`,
  );
}

function wantedSensors(names: readonly string[], { graph }: FusionModel): ReadonlySet<string> {
  const known = graph.sensors.map(({ spec }) => spec.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return new Set(names);
  throw new PolyphaseError(
    "USAGE",
    `Cannot replay sensor ${JSON.stringify(unknown)}: the model has ${known.join(", ")}`,
  );
}

async function openGolden(path: string): Promise<GoldenLines> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "there is no such file" : cause.message;
    throw new PolyphaseError("FILE_NOT_FOUND", `Cannot read ${path}: ${reason}`, { cause });
  });
  return new GoldenLines(path, text);
}
