import { type Command, InvalidArgumentError, Option } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { CropOptions } from "../crop-options.ts";
import { type TimePoint, timePoint } from "./time-window.ts";

/** How a recording is replayed. */
export interface ReplayOptions {
  readonly by?: "log" | "sensor";
  /** Event time per processing time; `max`: as fast as it goes. */
  readonly rate: number | "max";
  readonly start?: TimePoint;
  readonly end?: TimePoint;
  readonly sensors?: readonly string[];
  /** True: for ever. */
  readonly loop?: number | true;
  readonly startPaused?: boolean;
  readonly parallel?: number;
}

/** Adds --by, --rate, --start, --end, --sensors, --loop, --start-paused and --parallel. */
export function addReplayOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--by <order>",
        "log: as items arrived; sensor: in order of event time (default: as it was recorded " +
          "with --record, else log)",
      ).choices(["log", "sensor"]),
    )
    .option("--rate <n|max>", "event time per wall time: 1 as it happened", rate, "max")
    .option(
      "--start <time>",
      "seconds from the start, UTC, or µs: 1.5, 2026-11-21T10:00:00Z, 5us",
      timePoint,
    )
    .option("--end <time>", "likewise; events from there on are not read", timePoint)
    .option("--sensors <names>", "read only these: a,b", (text) => text.split(","))
    .option("--loop [n]", "replay n times, or until it is stopped", times)
    .option("--start-paused", "wait for the space bar (space: go on or stand still, →: one tick)")
    .option(
      "--parallel <n>",
      "threads that replay recordings, each from all its keyframes",
      threads,
    );
}

/**
 * Refuses options that exclude each other.
 *
 * @throws {PolyphaseError} USAGE
 */
export function checkReplayOptions(
  options: ReplayOptions & Pick<CropOptions, "crop" | "box"> & { readonly record?: string },
  isTerminal: boolean,
): void {
  const refuse = (what: string): never => {
    throw new PolyphaseError("USAGE", `Cannot replay: ${what}`);
  };
  if (options.startPaused === true && !isTerminal) {
    refuse("--start-paused needs a terminal, to hear the space bar");
  }
  if (options.loop !== undefined && options.record !== undefined) {
    refuse("--record records one run; leave out --loop");
  }
  if (options.parallel === undefined) return;
  const { by, rate: pace, start, end, sensors, loop, startPaused, record } = options;
  const { crop, box } = options;
  const others = { by, start, end, sensors, loop, startPaused, record, crop, box };
  const other = Object.entries(others).find(([, value]) => value !== undefined);
  if (other !== undefined || pace !== "max") {
    const name = other?.[0].replace("startPaused", "start-paused") ?? "rate";
    refuse(`--parallel is for whole recordings as fast as they go; leave out --${name}`);
  }
}

function rate(text: string): number | "max" {
  if (text === "max") return text;
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1e9)) {
    throw new InvalidArgumentError("must be max or a number > 0: 1, 0.5, 100");
  }
  return value;
}

function times(text: string): number {
  return wholeAbove("times", text);
}

function threads(text: string): number {
  return wholeAbove("threads", text);
}

function wholeAbove(what: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError(`must be a whole number of ${what} > 0`);
  }
  return value;
}
