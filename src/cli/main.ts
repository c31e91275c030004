#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import { registerAudio } from "./audio/audio.ts";
import { registerBackend } from "./backend/backend.ts";
import { registerDemo } from "./commands/demo.ts";
import { registerEval } from "./commands/eval.ts";
import { registerGraph } from "./commands/graph.ts";
import { registerInfo } from "./commands/info.ts";
import { registerPlan } from "./commands/plan.ts";
import { registerPublish } from "./commands/publish.ts";
import { registerReplay } from "./commands/replay.ts";
import { registerRun } from "./commands/run.ts";
import { registerTrain } from "./commands/train.ts";
import { registerValidate } from "./commands/validate.ts";
import { registerEvents } from "./events/events.ts";
import { registerImport } from "./import.ts";
import { registerConvert } from "./logs/convert.ts";
import { registerFilter } from "./logs/filter.ts";
import { registerMerge } from "./logs/merge.ts";
import { registerRecover } from "./logs/recover.ts";
import { registerModel } from "./model/model.ts";
import { packageVersion } from "./package-version.ts";
import { registerSimulate } from "./simulate/simulate.ts";
import { registerTest } from "./test/test.ts";

const usageStatus = 64;
/** Shells report a process that SIGPIPE ended so; a reader that went away is no error of ours. */
const pipeStatus = 141;

const program = new Command("polyphase")
  .description(
    "Event-driven sensor fusion: audio, video and event cameras through a sparse Phased LSTM graph.",
  )
  .version(packageVersion())
  .showHelpAfterError("(run with --help for usage)")
  .addHelpText(
    "after",
    `
Results go to stdout, everything else to stderr.
Exit status: 0 ok, 1 failure, 64 usage, 65 bad data, 69 broker unavailable, 78 bad config, 130 interrupted.`,
  );
registerReplay(program);
registerRun(program);
registerPublish(program);
registerInfo(program);
registerRecover(program);
registerMerge(program);
registerFilter(program);
registerConvert(program);
registerValidate(program);
registerTest(program);
registerGraph(program);
registerPlan(program);
registerImport(program);
registerEvents(program);
registerAudio(program);
registerTrain(program);
registerEval(program);
registerSimulate(program);
registerBackend(program);
registerModel(program);
registerDemo(program);
throwOnUsage(program);

// Whoever writes next hears of it and closes what it has open: a recording stays whole, and no thread
// is torn down within onnxruntime, which would abort the process.
process.stdout.on("error", (error) => {
  if (!isClosedPipe(error)) throw error;
  process.exitCode = pipeStatus;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitStatus(error);
}

/** Sub-commands made before do not inherit it: a usage error must reach `exitStatus`. */
function throwOnUsage(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) throwOnUsage(subcommand);
}

function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "EPIPE";
}

function exitStatus(error: unknown): number {
  if (isClosedPipe(error) || (error instanceof PolyphaseError && isClosedPipe(error.cause))) {
    return pipeStatus;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageStatus;
  if (error instanceof PolyphaseError) {
    console.error(`polyphase: ${error.message} [${error.code}]`);
    return error.exitStatus;
  }
  console.error(error);
  return 1;
}
