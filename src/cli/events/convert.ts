import { type Command, Option } from "commander";
import { addInputOptions, type InputOptions, sourceOptions } from "./event-options.ts";
import { type OutputFormat, openEventSink, outputFormat, outputFormats } from "./event-sink.ts";
import { openEventSource } from "./open-event-source.ts";
import { addTimeOriginOption, createTimeShift, type TimeOrigin } from "./time-origin.ts";
import { writeEvents } from "./write-events.ts";

/** What every command that writes events takes. */
export interface OutputOptions extends InputOptions {
  readonly to?: OutputFormat;
  readonly t0?: TimeOrigin;
}

/** Adds the options of `OutputOptions`. */
export function addOutputOptions(command: Command): Command {
  addInputOptions(command).addOption(
    new Option("--to <format>", "format to write (default: by the end of the name)").choices([
      ...outputFormats,
    ]),
  );
  return addTimeOriginOption(command);
}

/** `polyphase events convert`: a file of events in another format. */
export function registerEventsConvert(events: Command): void {
  addOutputOptions(
    events
      .command("convert")
      .description("write a file of events in another format")
      .argument("<file>", "event-camera file, MCAP or rosbag2 recording")
      .argument("<output>", "file to write; - is stdout"),
  )
    .addHelpText(
      "after",
      `
Examples:
  polyphase events convert recording.raw recording.mcap
  polyphase events convert recording.aedat4 recording.raw --to evt3 --t0 zero`,
    )
    .action(async (file: string, output: string, options: OutputOptions) => {
      const format = outputFormat(output, options.to);
      const source = await openEventSource(file, sourceOptions(options));
      const shift = createTimeShift(options.t0, format);
      await writeEvents(source, (size) => openEventSink(output, format, size), shift);
    });
}
