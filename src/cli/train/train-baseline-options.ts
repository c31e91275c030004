import { type Command, InvalidArgumentError, Option } from "commander";
import { wholeNumber } from "../model-options.ts";

/** Options of `polyphase train` that belong to what others are compared with. */
export function addBaselineOptions(command: Command): Command {
  return command
    .option(
      "--identity <scale>",
      "recurrent weights start as the identity times this, not random",
      positive,
    )
    .addOption(
      new Option("--network <name>", "nmnist: event by event, or a CNN on frames (tfjs)").choices([
        "recurrent",
        "frame-cnn",
      ]),
    )
    .option("--test-sequences <n>", "test on the first so many only; all by default", wholeNumber);
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}
