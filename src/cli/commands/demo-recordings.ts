import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid } from "../import/grid.ts";
import type { DataSet, ImportOptions } from "../import/importer.ts";
import { nmnist } from "../import/nmnist.ts";
import { writeRecordings } from "../import/write-recordings.ts";

/** Recordings that the demo shows one after the other. */
export interface DemoSet {
  readonly title: string;
  readonly directory: string;
  /** Preset or shipped model. */
  readonly model: string;
  /** Event time per line of the timeline. */
  readonly stretchUs: number;
}

/** Real recordings of each data set that the demo shows. */
const recordingsMax = 3;

/**
 * The fixture scenes, and the first few real recordings of each data set found under `data`,
 * imported into `scratch`.
 */
export async function demoRecordings(
  fixtures: string,
  data: string,
  scratch: string,
  stop: AbortSignal,
): Promise<readonly DemoSet[]> {
  const sets: DemoSet[] = [];
  if (existsSync(fixtures)) {
    sets.push({
      title: "fixture scenes: spoken digits, heard, seen as frames and by an event camera",
      directory: fixtures,
      model: "scene",
      stretchUs: 250_000,
    });
  }
  const add = async (
    dataSet: DataSet,
    options: ImportOptions,
    set: Omit<DemoSet, "directory">,
  ): Promise<void> => {
    const source = join(data, dataSet.folder);
    if (!existsSync(source) || stop.aborted) return;
    const directory = join(scratch, dataSet.name);
    await writeRecordings(dataSet.recordings(source, options), {
      out: directory,
      recordingsMax,
      force: false,
      stop,
      progress: () => undefined,
    });
    sets.push({ ...set, directory });
  };
  await add(
    grid,
    { folds: new Set([8]) },
    { title: "GRID sentences: audio and mouth video", model: "grid", stretchUs: 200_000 },
  );
  await add(
    nmnist,
    {},
    { title: "N-MNIST: digits before an event camera", model: "nmnist", stretchUs: 30_000 },
  );
  return sets;
}
