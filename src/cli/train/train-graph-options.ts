import { type Command, InvalidArgumentError, Option } from "commander";
import { wholeNumber } from "../model-options.ts";

/** Options of `polyphase train` that graphs of several sensors have. */
export function addGraphOptions(command: Command): Command {
  return command
    .option(
      "--absent <list>",
      "share of recordings without a sensor: audio=0.15,video=0.15",
      shares,
    )
    .option("--lost <list>", "share of a sensor's events that is lost: video=0.05", shares)
    .option("--dropout <p>", "share of the inputs of merge layers left out in training", share)
    .option("--freeze <list>", "layers and heads that stay as they start: audio-lstm,word", names)
    .addOption(
      new Option(
        "--errors <how>",
        "graph: back through all layers; local: none tells another",
      ).choices(["graph", "local"]),
    )
    .option("--start <dir>", "begin with the layers and heads of the same name of a model")
    .option("--window-ms <t>", "errors go back no further; each window is a batch", positive);
}

/** Options of threads, for every task. */
export function addThreadOptions(command: Command): Command {
  return command
    .option(
      "--workers <n>",
      "threads; equal --shards give equal bits with any number",
      wholeNumber,
      0,
    )
    .option("--shards <n>", "parts of a batch, summed in order; 4 with workers", wholeNumber);
}

function names(text: string): readonly string[] {
  return text.split(",");
}

function shares(text: string): Readonly<Record<string, number>> {
  const entries = text.split(",").map((part): readonly [string, number] => {
    const [name = "", probability = ""] = part.split("=");
    return [name, share(probability)];
  });
  return Object.fromEntries(entries);
}

function share(text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0 && value < 1) return value;
  throw new InvalidArgumentError("It must be from 0 to below 1, for a sensor as name=0.15.");
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}
