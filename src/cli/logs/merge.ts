import { type Command, Option } from "commander";
import { mergeLogs } from "../../streams/log/merge-logs.ts";
import type { LogOrder } from "../../streams/log/order-entries.ts";
import { findRecordings } from "../find-recordings.ts";
import { grouped } from "../format/numbers.ts";
import { stopSignal } from "../stop-signal.ts";
import {
  addLogOutputOptions,
  type LogOutputOptions,
  logWriterOptions,
} from "./log-output-options.ts";
import { refuseSameFile } from "./refuse-same-file.ts";

interface MergeCommandOptions extends LogOutputOptions {
  readonly by: LogOrder;
  readonly prefix?: true;
  readonly dropDuplicates?: true;
  readonly json?: true;
}

/** `polyphase merge`: several recordings as one. */
export function registerMerge(program: Command): void {
  const command = program
    .command("merge")
    .description("put several recordings into one, in order of time")
    .argument("<recording...>", "MCAP files, or directories of them");
  addLogOutputOptions(command)
    .addOption(
      new Option("--by <time>", "log: when messages were recorded; sensor: event time")
        .choices(["log", "sensor"])
        .default("log"),
    )
    .option("--prefix", "name every stream and topic after its file: nothing is unified")
    .option("--drop-duplicates", "write messages that are in the inputs twice only once")
    .option("--json", "print one object on stdout")
    .addHelpText(
      "after",
      `
Channels of one topic become one if schema, encoding and metadata are equal; if they are not, nothing
is written. Streams keep their names. Messages with the same number, sensor time and bytes on one
channel are duplicates; they are counted, and a replay drops them as such. Keyframes of recorded runs are
left out: they are the states of one run, at a place in one file.

Examples:
  polyphase merge audio.mcap video.mcap -o scene.mcap
  polyphase merge robot1.mcap robot2.mcap -o both.mcap --prefix --by sensor`,
    )
    .action(mergeCommand);
}

async function mergeCommand(
  recordings: readonly string[],
  options: MergeCommandOptions,
): Promise<void> {
  const paths = await findRecordings(recordings);
  await refuseSameFile(paths, options.out);
  const result = await mergeLogs(paths, options.out, {
    ...logWriterOptions(options),
    order: options.by,
    prefix: options.prefix === true,
    dropDuplicates: options.dropDuplicates === true,
    stop: stopSignal(),
  });
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ ...result, recordings: paths })}\n`);
    return;
  }
  const { keyframesLeftOut } = result;
  const states = keyframesLeftOut === 0 ? "" : `, ${grouped(keyframesLeftOut)} keyframes left out`;
  const left = options.dropDuplicates === true ? "left out" : "kept";
  process.stdout.write(
    `${options.out}: ${grouped(result.messages)} messages of ${result.channels} channels from ${paths.length} recordings, ${grouped(result.duplicates)} duplicates ${left}${states}\n`,
  );
}
