import { type Command, InvalidArgumentError, Option } from "commander";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { filterLog } from "../../streams/log/filter-log.ts";
import { logChannelNames } from "../../streams/log/log-channel-names.ts";
import { type LogOrder, timeOf } from "../../streams/log/order-entries.ts";
import type { LogChannel } from "../../streams/log/scan/log-entry.ts";
import { openLog, readLog } from "../../streams/log/scan/open-log.ts";
import { type ChannelSelection, isSelected } from "../../streams/log/select-channel.ts";
import { grouped } from "../format/numbers.ts";
import { stopSignal } from "../stop-signal.ts";
import { FileProgress } from "./file-progress.ts";
import {
  addLogOutputOptions,
  type LogOutputOptions,
  logWriterOptions,
} from "./log-output-options.ts";
import { refuseSameFile } from "./refuse-same-file.ts";

interface FilterCommandOptions extends LogOutputOptions {
  readonly streams?: readonly string[];
  readonly sensors?: readonly string[];
  readonly topics?: readonly string[];
  readonly by: LogOrder;
  /** Nanoseconds from the first message on. */
  readonly start?: bigint;
  readonly end?: bigint;
}

/** `polyphase filter`: a part of a recording. */
export function registerFilter(program: Command): void {
  const command = program
    .command("filter")
    .description("write a part of a recording: some streams, sensors, topics or a stretch of time")
    .argument("<recording>", "MCAP file");
  addLogOutputOptions(command)
    .option("--streams <names>", "keep these streams, e.g. a,b", names)
    .option("--sensors <names>", "keep these sensors, with the markers of their streams", names)
    .option("--topics <names>", "keep these topics; * stands for any characters", names)
    .option("--start <time>", "keep from this time after the first message: 90s, 1500ms, 2m", time)
    .option("--end <time>", "keep up to this time after the first message, not included", time)
    .addOption(
      new Option("--by <time>", "which time --start and --end mean: log or sensor (event time)")
        .choices(["log", "sensor"])
        .default("sensor"),
    )
    .addHelpText(
      "after",
      `
What is kept keeps its bytes, channels with unknown schemas too. A packet of an event camera is kept
or left out as a whole, by the time of its first event. Keyframes of a stream go with its sensors: they are
kept only where all that changes its state is.

Examples:
  polyphase filter day1.mcap -o audio.mcap --sensors audio
  polyphase filter day1.mcap -o minute.mcap --start 60s --end 2m
  polyphase filter day1.mcap -o left.mcap --topics '/left/*'`,
    )
    .action(filterCommand);
}

async function filterCommand(path: string, options: FilterCommandOptions): Promise<void> {
  await refuseSameFile([path], options.out);
  const { streams, sensors, topics, by } = options;
  const selection = {
    ...(streams && { streams }),
    ...(sensors && { sensors }),
    ...(topics && { topics }),
  };
  await checkNames(path, selection);
  const stop = stopSignal();
  const progress = new FileProgress(`filter ${path}`);
  const result = await filterLog(path, options.out, {
    ...logWriterOptions(options),
    ...(await stretchOf(path, options)),
    wanted: (channel) => isSelected(channel, selection),
    by,
    stop,
    onProgress: (bytes, ofBytes) => progress.report(bytes, ofBytes),
  });
  progress.end();
  const topicsText =
    result.otherTopics.length === 0 ? "" : ` without ${result.otherTopics.join(", ")}`;
  const statesText =
    result.keyframesLeftOut === 0
      ? ""
      : `; ${grouped(result.keyframesLeftOut)} keyframes left out, which are states of more than that`;
  process.stdout.write(
    `${options.out}: ${grouped(result.kept)} of ${grouped(result.messages)} messages${topicsText}${statesText}\n`,
  );
}

/** A name that nothing has is a typing error: nothing is written. */
async function checkNames(path: string, selection: ChannelSelection): Promise<void> {
  const log = await openLog(path);
  await log.close();
  // Without a description at its end the recording is damaged or foreign; reading it says more.
  if (typeof log.summary === "string") return;
  const channels = [...log.summary.definitions.channels];
  if (channels.length === 0) return;
  for (const what of ["stream", "sensor", "topic"] as const) {
    const nameOf = (channel: LogChannel): string | undefined =>
      what === "topic" ? channel.topic : logChannelNames(channel)[what];
    const named = channels.filter((channel) => nameOf(channel) !== undefined);
    for (const name of selection[`${what}s`] ?? []) {
      if (named.some((channel) => isSelected(channel, { [`${what}s`]: [name] }))) continue;
      const known = [...new Set(named.map(nameOf))].sort().join(", ");
      throw new PolyphaseError(
        "USAGE",
        `Cannot filter ${path}: it has no ${what} ${name}, but ${known || "none at all"}`,
      );
    }
  }
}

/** --start and --end as absolute times. */
async function stretchOf(
  path: string,
  { start, end, by }: FilterCommandOptions,
): Promise<{ readonly from?: bigint; readonly to?: bigint }> {
  if (start === undefined && end === undefined) return {};
  const first = await firstTime(path, by);
  return {
    ...(start === undefined ? {} : { from: first + start }),
    ...(end === undefined ? {} : { to: first + end }),
  };
}

async function firstTime(path: string, by: LogOrder): Promise<bigint> {
  const log = await openLog(path);
  let first: bigint | undefined;
  try {
    for await (const batch of readLog(log)) {
      for (const entry of batch) {
        if (entry.kind !== "message") continue;
        const at = timeOf(entry, by);
        if (first === undefined || at < first) first = at;
      }
    }
  } finally {
    await log.close();
  }
  return first ?? 0n;
}

function names(text: string): readonly string[] {
  const list = text.split(",").map((name) => name.trim());
  if (list.includes("")) throw new InvalidArgumentError("must be names separated by commas");
  return list;
}

const microsecondsPerUnit: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 60e6 };

function time(text: string): bigint {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|m)$/.exec(text.trim());
  if (match === null) {
    throw new InvalidArgumentError("must be a number and its unit: us, ms, s or m, e.g. 1.5s");
  }
  return BigInt(Math.round(Number(match[1]) * microsecondsPerUnit[match[2]!]!)) * 1000n;
}
