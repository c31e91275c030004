#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { PolyphaseError } from "../sensors/polyphase-error.ts";
import { packageVersion } from "./package-version.ts";

const usageStatus = 64;
/** Shells report a process that SIGPIPE ended so; a reader that went away is no error of ours. */
const pipeStatus = 141;

/** Every command and what adds it, in the order of the help. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  replay: async () => (await import("./commands/replay.ts")).registerReplay,
  run: async () => (await import("./commands/run.ts")).registerRun,
  publish: async () => (await import("./commands/publish.ts")).registerPublish,
  info: async () => (await import("./commands/info.ts")).registerInfo,
  recover: async () => (await import("./logs/recover.ts")).registerRecover,
  merge: async () => (await import("./logs/merge.ts")).registerMerge,
  filter: async () => (await import("./logs/filter.ts")).registerFilter,
  convert: async () => (await import("./logs/convert.ts")).registerConvert,
  validate: async () => (await import("./commands/validate.ts")).registerValidate,
  test: async () => (await import("./test/test.ts")).registerTest,
  graph: async () => (await import("./commands/graph.ts")).registerGraph,
  plan: async () => (await import("./commands/plan.ts")).registerPlan,
  import: async () => (await import("./import.ts")).registerImport,
  events: async () => (await import("./events/events.ts")).registerEvents,
  audio: async () => (await import("./audio/audio.ts")).registerAudio,
  train: async () => (await import("./commands/train.ts")).registerTrain,
  eval: async () => (await import("./commands/eval.ts")).registerEval,
  simulate: async () => (await import("./simulate/simulate.ts")).registerSimulate,
  backend: async () => (await import("./backend/backend.ts")).registerBackend,
  model: async () => (await import("./model/model.ts")).registerModel,
  demo: async () => (await import("./commands/demo.ts")).registerDemo,
};

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
Exit status: 0 ok, 1 failure, 64 usage, 65 bad data, 69 broker or backend unavailable, 78 bad config, 130 interrupted.`,
  );
// The command that is run is loaded alone: together they take longer than many a run.
const [asked = ""] = process.argv.slice(2);
const chosen = Object.hasOwn(commands, asked) ? [commands[asked]!] : Object.values(commands);
for (const register of await Promise.all(chosen.map((load) => load()))) register(program);
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
