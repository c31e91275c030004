import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { addCropOptions, type CropOptions, checkedMode, openCrop } from "./crop-options.ts";
import { dataDirectory } from "./data-directory.ts";
import { countsText } from "./format/numbers.ts";
import { fsdd } from "./import/fsdd.ts";
import { grid } from "./import/grid.ts";
import type { DataSet, ImportCrop } from "./import/importer.ts";
import { mnist } from "./import/mnist.ts";
import { nmnist } from "./import/nmnist.ts";
import { type WriteResult, writeRecordings } from "./import/write-recordings.ts";
import { stopSignal } from "./stop-signal.ts";

/** Every data set that can be imported, in the order of the help. */
const dataSets: readonly DataSet[] = [grid, nmnist, fsdd, mnist];

interface ImportCommandOptions extends CropOptions {
  readonly out: string;
  readonly limit?: number;
  readonly folds?: ReadonlySet<number>;
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
    if (dataSet.takes.includes("crop")) addCropOptions(command);
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
    const { folds } = options;
    const crop = await importCrop(options);
    let noFace = 0;
    const recordings = dataSet.recordings(source, {
      ...(folds && { folds }),
      ...(crop && { crop }),
      onNoFace: () => {
        noFace++;
      },
      stop,
    });
    const result = await writeRecordings(recordings, {
      out: options.out,
      recordingsMax: options.limit ?? Number.POSITIVE_INFINITY,
      force: options.force === true,
      stop,
      progress: process.stderr.isTTY ? showProgress : () => {},
    });
    const dropped: Record<string, number> = noFace === 0 ? {} : { "no-face": noFace };
    const summary = { dataSet: dataSet.name, source, out: options.out, ...result, dropped };
    console.log(options.json === true ? JSON.stringify(summary) : describe(summary));
  } finally {
    if (process.stderr.isTTY) process.stderr.write("\n");
  }
}

async function importCrop(options: ImportCommandOptions): Promise<ImportCrop | undefined> {
  const mode = checkedMode(options, "fixed");
  const { box } = options;
  if (mode === "fixed") return box && { mode, box };
  const cropperOf = await openCrop(options, (message) => console.error(`polyphase: ${message}`));
  return { mode, cropperOf: cropperOf! };
}

function showProgress({ recordings, existing, items }: WriteResult): void {
  process.stderr.write(`\r${recordings} recordings, ${items} items, ${existing} existed `);
}

function describe(
  result: WriteResult & {
    readonly dataSet: string;
    readonly out: string;
    readonly dropped: Readonly<Record<string, number>>;
  },
): string {
  const kinds = Object.entries(result.itemsByKind).map(([kind, count]) => `${count} ${kind}`);
  return [
    `${result.dataSet}: ${result.recordings} recordings in ${result.out}`,
    `${result.seconds.toFixed(1)} s, ${result.items} items: ${kinds.join(", ") || "none"}`,
    `${result.dvsEvents} events of event cameras`,
    `${result.existing} recordings existed and were left as they were`,
    `dropped: ${countsText(result.dropped)}`,
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
