import { mkdir } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import type { LatePolicy } from "../../streams/fuse/late-policy.ts";
import { FileOutput } from "../../streams/record/file-output.ts";
import { createRecorder, type Recorder } from "../../streams/record/recorder.ts";
import { recorderMetadata } from "../../streams/record/recorder-metadata.ts";
import { RingOutput } from "../../streams/record/ring-output.ts";
import { type BudgetOptions, budgetText } from "../budget-options.ts";

/** Options of every command that can record what it does. */
export interface RecordOptions {
  readonly record?: string;
  /** Microseconds. */
  readonly keyframeEvery?: number;
  /** Bytes. */
  readonly rotateSize?: number;
  /** Microseconds. */
  readonly rotateEvery?: number;
  /** Microseconds. */
  readonly ring?: number;
}

/** Adds --record and what belongs to it. */
export function addRecordOptions(command: Command): Command {
  return command
    .option("--record <file|dir>", "record what enters the graph (.mcap, or a directory of them)")
    .option(
      "--keyframe-every <time>",
      "event time between recorded states (default: 10s)",
      duration,
    )
    .option("--rotate-size <size>", "begin a new file after this much, e.g. 256MB", size)
    .option(
      "--rotate-every <time>",
      "begin a new file after this much event time, e.g. 10m",
      duration,
    )
    .option("--ring <time>", "keep only the last, e.g. 60s, and write it at SIGUSR2", duration);
}

/**
 * Makes the recorder that the options ask for.
 *
 * @param name of the run, for files in a directory
 * @param run the same in all files of one run, and in no other
 * @throws {PolyphaseError} FAILED if the directory cannot be made
 */
export async function openRecorder(
  options: RecordOptions & BudgetOptions & { readonly record: string },
  name: string,
  run: string,
  model: FusionModel,
  late: LatePolicy,
): Promise<Recorder> {
  const { record, rotateSize, rotateEvery, ring, keyframeEvery } = options;
  const isFile = extname(record) === ".mcap";
  await mkdir(isFile ? dirname(record) : record, { recursive: true });
  const stem = isFile
    ? join(dirname(record), basename(record, ".mcap"))
    : join(record, name.replaceAll(/[^\w.-]+/g, "_"));
  const isNumbered = rotateSize !== undefined || rotateEvery !== undefined || ring !== undefined;
  const path = (part: number): string =>
    isNumbered ? `${stem}-${String(part).padStart(4, "0")}.mcap` : `${stem}.mcap`;
  const metadata = recorderMetadata(run, model, late, budgetText(options));
  return createRecorder({
    ...(keyframeEvery === undefined ? {} : { keyframeUs: keyframeEvery }),
    output: (table) =>
      ring !== undefined
        ? new RingOutput(table, { keepUs: ring, path, metadata })
        : new FileOutput(table, {
            path,
            metadata,
            ...(rotateSize === undefined ? {} : { rotateBytes: rotateSize }),
            ...(rotateEvery === undefined ? {} : { rotateUs: rotateEvery }),
          }),
  });
}

/** Writes the ring at every SIGUSR2 and says where. @returns a function that ends it */
export function dumpOnSignal(recorder: Recorder, say: (message: string) => void): () => void {
  const dump = (): void => {
    recorder.dump().then(
      (path) => say(`wrote ${path}`),
      (error) => say(error instanceof Error ? error.message : String(error)),
    );
  };
  process.on("SIGUSR2", dump);
  return () => process.off("SIGUSR2", dump);
}

const usPerUnit: Readonly<Record<string, number>> = {
  ms: 1e3,
  "": 1e6,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
};
const bytesPerUnit: Readonly<Record<string, number>> = { "": 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** Reads a duration for commander: 500ms, 10s, 10m, 1h; seconds without a unit. Microseconds. */
function duration(text: string): number {
  const value = quantity(text, usPerUnit);
  if (value === undefined)
    throw new InvalidArgumentError("must be a time > 0: 500ms, 60s, 10m, 1h");
  return value;
}

/** Reads a size for commander: 256MB. Bytes. */
function size(text: string): number {
  const value = quantity(text, bytesPerUnit);
  if (value === undefined) throw new InvalidArgumentError("must be a size > 0: 500kB, 256MB, 1GB");
  return value;
}

function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  if (number === undefined || factor === undefined) return undefined;
  const value = Math.round(Number(number) * factor);
  return value > 0 ? value : undefined;
}
