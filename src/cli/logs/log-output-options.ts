import { type Command, InvalidArgumentError, Option } from "commander";
import { type LogCompression, logCompressions } from "../../streams/log/log-writer.ts";

/** Options of every command that writes a recording. */
export interface LogOutputOptions {
  readonly out: string;
  readonly compression?: LogCompression;
  readonly chunkSize?: number;
}

/** Adds -o, --compression and --chunk-size. */
export function addLogOutputOptions(command: Command): Command {
  return command
    .requiredOption("-o, --out <file>", "file to write; it appears when it is complete")
    .addOption(
      new Option("--compression <name>", "how chunks are compressed")
        .choices([...logCompressions])
        .default("zstd"),
    )
    .option("--chunk-size <KiB>", "messages per chunk before compression", kibibytes, 128);
}

/** The options as the writer of a log takes them. */
export function logWriterOptions({ compression, chunkSize }: LogOutputOptions): {
  readonly compression: LogCompression;
  readonly chunkBytes: number;
} {
  return { compression: compression ?? "zstd", chunkBytes: (chunkSize ?? 128) * 1024 };
}

function kibibytes(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 1 && value <= 65_536)) {
    throw new InvalidArgumentError("must be a number of KiB from 1 to 65536");
  }
  return Math.round(value);
}
