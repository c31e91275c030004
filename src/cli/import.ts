import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { dataDirectory } from "./data-directory.ts";
import { fsdd } from "./import/fsdd.ts";
import { grid } from "./import/grid.ts";
import type { DataSet, PictureBox } from "./import/importer.ts";
import { mnist } from "./import/mnist.ts";
import { nmnist } from "./import/nmnist.ts";
import { type WriteResult, writeRecordings } from "./import/write-recordings.ts";
import { stopSignal } from "./stop-signal.ts";

/** Every data set that can be imported, in the order of the help. */
const dataSets: readonly DataSet[] = [grid, nmnist, fsdd, mnist];

interface ImportCommandOptions {
  readonly out: string;
  readonly limit?: number;
  readonly folds?: ReadonlySet<number>;
  readonly box?: PictureBox;
  readonly force?: true;
  readonly json?: true;
}

/** `polyphase import <data set> [source] --out DIR`: public data sets as recordings (MCAP). */
export function registerImport(program: Command): void {
  const parent = program
    .command("import")
    .description("turn public data sets into recordings (MCAP)");
  for (const dataSet of dataSets) {
    const command = parent
      .command(dataSet.name)
      .description(dataSet.description)
      .argument(
        "[source]",
        `folder of the data set (default: ${dataSet.folder} in $POLYPHASE_DATA, or in ../shared/data)`,
      )
      .requiredOption("--out <dir>", "folder to write recordings to")
      .option("--limit <n>", "write at most n recordings", parseCount)
      .option("--force", "overwrite recordings that exist")
      .option("--json", "print a summary as JSON");
    if (dataSet.takes.includes("folds")) {
      command.option("--folds <list>", "only these folds, e.g. 8 or 0-3,8", parseFolds);
    }
    if (dataSet.takes.includes("box")) {
      command.option("--box <x,y,w,h>", "part of the pictures to take, in pixels", parseBox);
    }
    if (dataSet.details !== undefined) command.addHelpText("after", `\n${dataSet.details}`);
    command.action((source: string | undefined, options: ImportCommandOptions) =>
      importDataSet(dataSet, source, options),
    );
  }
}

async function importDataSet(
  dataSet: DataSet,
  givenSource: string | undefined,
  options: ImportCommandOptions,
): Promise<void> {
  const source = givenSource ?? join(dataDirectory(), dataSet.folder);
  const stop = stopSignal();
  try {
    const { folds, box } = options;
    const recordings = dataSet.recordings(source, {
      ...(folds && { folds }),
      ...(box && { box }),
      stop,
    });
    const result = await writeRecordings(recordings, {
      out: options.out,
      recordingsMax: options.limit ?? Number.POSITIVE_INFINITY,
      force: options.force === true,
      stop,
      progress: process.stderr.isTTY ? showProgress : () => {},
    });
    const summary = { dataSet: dataSet.name, source, out: options.out, ...result };
    console.log(options.json === true ? JSON.stringify(summary) : describe(summary));
  } finally {
    if (process.stderr.isTTY) process.stderr.write("\n");
  }
}

function showProgress({ recordings, existing, items }: WriteResult): void {
  process.stderr.write(`\r${recordings} recordings, ${items} items, ${existing} existed `);
}

function describe(result: WriteResult & { dataSet: string; out: string }): string {
  const kinds = Object.entries(result.itemsByKind).map(([kind, count]) => `${count} ${kind}`);
  return [
    `${result.dataSet}: ${result.recordings} recordings in ${result.out}`,
    `${result.seconds.toFixed(1)} s, ${result.items} items: ${kinds.join(", ") || "none"}`,
    `${result.dvsEvents} events of event cameras`,
    `${result.existing} recordings existed and were left as they were`,
  ].join("\n  ");
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("must be a whole number >= 1.");
  return Number(text);
}

function parseFolds(text: string): ReadonlySet<number> {
  const folds = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part);
    if (match === null) throw new InvalidArgumentError('must be folds such as "8" or "0-3,8".');
    const first = Number(match[1]);
    for (let fold = first; fold <= Number(match[2] ?? first); fold++) folds.add(fold);
  }
  return folds;
}

function parseBox(text: string): PictureBox {
  const match = /^(\d{1,4}),(\d{1,4}),([1-9]\d{0,3}),([1-9]\d{0,3})$/.exec(text);
  if (match === null) throw new InvalidArgumentError('must be x,y,w,h such as "123,176,71,71".');
  const [x, y, width, height] = match.slice(1).map(Number) as [number, number, number, number];
  return { x, y, width, height };
}
