import { type Command, InvalidArgumentError, Option } from "commander";
import type { RunOptions } from "./load-model.ts";

/** Options of every command that runs a model. */
export interface ModelOptions extends RunOptions {
  readonly model?: string;
  readonly seed: number;
}

/** Adds --model, --seed, --kernel and --encoder. */
export function addModelOptions(command: Command): Command {
  return command
    .option("-m, --model <dir|preset>", "model directory, or grid, nmnist or scene")
    .option("--seed <n>", "seed of untrained weights", wholeNumber, 1)
    .addOption(
      new Option("--kernel <name>", "how layers are computed")
        .choices(["auto", "wasm-f32", "sparse-f32", "reference-f64"])
        .default("auto"),
    )
    .addOption(
      new Option("--encoder <name>", "how frames are encoded")
        .choices(["auto", "onnx", "typescript"])
        .default("auto"),
    );
}

/** Reads a whole number from 0 for commander. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError("It must be a whole number from 0.");
  }
  return value;
}
