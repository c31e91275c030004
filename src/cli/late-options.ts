import { type Command, InvalidArgumentError, Option } from "commander";
import type { LatePolicy } from "../streams/fuse/late-policy.ts";

/** Memory of a stream's past that a rewind may go back into. */
const horizonBytesMax = 64 * 1024 * 1024;

export interface LateOptions {
  /** Milliseconds. */
  readonly lateness: number;
  readonly late: LatePolicy["policy"];
  readonly horizon: number;
}

const lateHelp =
  "events that are later: drop: count them; rewind: go back and apply them in order; " +
  "apply-late: apply them to the state as it is";

/** Options that say what becomes of events out of order. */
export function addLateOptions(command: Command): Command {
  return command
    .option(
      "--lateness <ms>",
      "how much earlier than its sensor's latest event an event may arrive",
      milliseconds,
      0,
    )
    .addOption(
      new Option("--late <policy>", lateHelp)
        .choices(["drop", "rewind", "apply-late"])
        .default("drop"),
    )
    .option("--horizon <ms>", "how far back --late rewind may go", milliseconds, 1000);
}

/** The policy that the options ask for. */
export function latePolicy({ late, horizon }: LateOptions): LatePolicy {
  return late === "rewind"
    ? { policy: late, horizonUs: Math.round(horizon * 1000), horizonBytesMax }
    : { policy: late };
}

/** Reads a number of milliseconds from 0 for commander. */
export function milliseconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value < 1e12)) {
    throw new InvalidArgumentError("must be a number of milliseconds >= 0");
  }
  return value;
}
