import { finished } from "node:stream/promises";
import { type Command, Option } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { NdjsonSink } from "../../streams/ndjson/ndjson-sink.ts";
import { openRecording } from "../../streams/replay/recording-reader.ts";
import {
  addBudgetOptions,
  addDecisionsOption,
  type BudgetOptions,
  openBudget,
} from "../budget-options.ts";
import { findRecordings } from "../find-recordings.ts";
import { summaryText } from "../format/summary-text.ts";
import { addLateOptions, type LateOptions, latePolicy } from "../late-options.ts";
import { chooseModel, prepareModel } from "../load-model.ts";
import { addModelOptions, type ModelOptions } from "../model-options.ts";
import { openOutput } from "../open-output.ts";
import { presetFor } from "../preset-for.ts";
import { runReplay } from "../run-replay.ts";
import { stopSignal } from "../stop-signal.ts";

interface ReplayCommandOptions extends ModelOptions, LateOptions, BudgetOptions {
  readonly json?: boolean;
  readonly ndjson?: boolean;
  readonly out?: string;
  readonly by: "log" | "sensor";
  readonly dense?: boolean;
}

/** `polyphase replay`: recordings through a model, as fast as they go. */
export function registerReplay(program: Command): void {
  const command = program
    .command("replay")
    .description("replay recordings through a fusion graph and write its predictions")
    .argument("<recording...>", "MCAP files, or directories of them");
  addDecisionsOption(addBudgetOptions(addLateOptions(addModelOptions(command))))
    .option("--json", "print one summary object on stdout and nothing else")
    .option("--ndjson", "print predictions on stdout, one JSON object per line")
    .option("-o, --out <file>", "write predictions to a file, one JSON object per line")
    .addOption(
      new Option("--by <order>", "log: as items arrived; sensor: in order of event time")
        .choices(["log", "sensor"])
        .default("log"),
    )
    .option("--dense", "evaluate every unit, for comparison: same predictions, more work")
    .addHelpText(
      "after",
      `
Examples:
  polyphase replay fixtures/scenes                      summary of all scenes
  polyphase replay day1.mcap --model models/lips --out predictions.ndjson
  polyphase replay day1.mcap --lateness 20 --late rewind --horizon 2000
  polyphase replay day1.mcap --budget 500us/s --govern merge-1 --decisions decisions.ndjson
  polyphase replay day1.mcap --json | jq .openFraction`,
    )
    .action(replayCommand);
}

async function replayCommand(
  recordings: readonly string[],
  options: ReplayCommandOptions,
): Promise<void> {
  if (options.json === true && options.ndjson === true) {
    throw new PolyphaseError("USAGE", "Cannot print --json and --ndjson at once: choose one");
  }
  const paths = await findRecordings(recordings);
  const warn = (message: string): void => console.error(`polyphase: ${message}`);
  const chosen = await chooseModel(options.model ?? (await defaultPreset(paths)), options.seed);
  if (!chosen.trained) warn(`${chosen.stored.spec.name} has untrained weights (${chosen.origin})`);
  const model = await prepareModel(chosen.stored, options, warn);
  const budget = await openBudget(model.graph, options);
  const file = options.out === undefined ? undefined : await openOutput(options.out);
  const sink = new NdjsonSink(file ?? (options.ndjson === true ? process.stdout : undefined));
  const stop = stopSignal();
  const summary = await runReplay({
    paths,
    model,
    weights: chosen.origin,
    sink,
    digest: sink,
    order: options.by === "log" ? "received" : "event",
    latenessUs: Math.round(options.lateness * 1000),
    late: latePolicy(options),
    mode: options.dense === true ? "dense" : "sparse",
    ...budget.request,
    stop,
  });
  if (file !== undefined) await finished(file.end());
  await budget.close();
  if (options.json === true) process.stdout.write(`${JSON.stringify(summary, undefined, 2)}\n`);
  else if (options.ndjson !== true) process.stdout.write(`${summaryText(summary)}\n`);
  if (stop.aborted) throw new PolyphaseError("INTERRUPTED", "Interrupted: the rest was not read");
}

async function defaultPreset(paths: readonly string[]): Promise<string> {
  const recording = await openRecording(paths[0]!);
  try {
    return presetFor(recording);
  } finally {
    await recording.close();
  }
}
