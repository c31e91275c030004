import { stat } from "node:fs/promises";
import { extname } from "node:path";
import type { Command } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { openRecording } from "../../streams/replay/recording-reader.ts";
import { chooseModel, prepareModel } from "../load-model.ts";

/** `polyphase validate`: says what is wrong with models and recordings, and where. */
export function registerValidate(program: Command): void {
  program
    .command("validate")
    .description("check model directories and recordings; the exit status says if all are sound")
    .argument("<path...>", "model directories and MCAP files")
    .addHelpText(
      "after",
      `
Exit status: 78 if a model is wrong, 65 if a recording is.

Examples:
  polyphase validate my-model
  polyphase validate my-model day1.mcap day2.mcap`,
    )
    .action(async (paths: readonly string[]) => {
      let first: PolyphaseError | undefined;
      for (const path of paths) {
        try {
          process.stdout.write(`${path}: ok, ${await validate(path)}\n`);
        } catch (error) {
          if (!(error instanceof PolyphaseError)) throw error;
          process.stdout.write(`${path}: ${error.message}\n`);
          first ??= error;
        }
      }
      if (first !== undefined) {
        throw new PolyphaseError(first.code, "Cannot use everything named: see above", {
          cause: first,
        });
      }
    });
}

async function validate(path: string): Promise<string> {
  const entry = await stat(path).catch((cause: unknown) => {
    throw new PolyphaseError("FILE_NOT_FOUND", `Cannot validate: ${path} does not exist`, {
      cause,
    });
  });
  if (entry.isDirectory()) return validateModel(path);
  if (extname(path) === ".mcap") return validateRecording(path);
  throw new PolyphaseError("USAGE", `Cannot validate ${path}: neither a directory nor an .mcap`);
}

/** Loads everything, encoder and kernel included, as a replay would. */
async function validateModel(directory: string): Promise<string> {
  const { stored } = await chooseModel(directory, 0);
  await prepareModel(stored, { kernel: "auto", encoder: "auto" }, () => undefined);
  return `model ${stored.spec.name} ${stored.hash}`;
}

/** Decodes every message. */
async function validateRecording(path: string): Promise<string> {
  const recording = await openRecording(path);
  try {
    let items = 0;
    for await (const batch of recording.items()) items += batch.length;
    return `${items} items of ${recording.channels.length} channels`;
  } finally {
    await recording.close();
  }
}
