import { type Command, InvalidArgumentError } from "commander";
import { eventFormats } from "../../sensors/dvs/codecs/detect-event-format.ts";
import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import type { EventSourceOptions } from "./event-source.ts";

/** What every `events` command takes to read its input. */
export interface InputOptions {
  readonly geometry?: SensorSize;
  readonly format?: string;
  readonly topic?: string;
}

/** Adds the options that say how to read a file of events. */
export function addInputOptions(command: Command): Command {
  return command
    .option(
      "--geometry <WxH>",
      "sensor size, where the file does not say or says it wrong",
      parseSize,
    )
    .option(
      "--format <name>",
      `format of the input: ${eventFormats.join(", ")} (default: detected)`,
    )
    .option("--topic <name>", "topic to read of an MCAP or rosbag2 with several (default: first)");
}

/** The same as `openEventSource` takes them. */
export function sourceOptions(options: InputOptions): EventSourceOptions {
  return {
    ...(options.geometry === undefined ? {} : { size: options.geometry }),
    ...(options.format === undefined ? {} : { format: options.format }),
    ...(options.topic === undefined ? {} : { topic: options.topic }),
  };
}

function parseSize(text: string): SensorSize {
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(text);
  const size = { width: Number(match?.[1]), height: Number(match?.[2]) };
  if (!(size.width > 0 && size.height > 0 && Math.max(size.width, size.height) <= 65_535)) {
    throw new InvalidArgumentError("must be WIDTHxHEIGHT in pixels, e.g. 640x480");
  }
  return size;
}
