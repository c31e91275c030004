import { readdir } from "node:fs/promises";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { findGridClips } from "./grid-clips.ts";
import { codedGridRecordings } from "./grid-coded.ts";
import { gridMouthBox, originalGridRecordings } from "./grid-originals.ts";
import type { DataSet, ImportedRecording, ImportOptions } from "./importer.ts";

const { x, y, width, height } = gridMouthBox;

/** GRID audio-visual sentences: sensors `audio` (MFCC) and `video` (mouth crops). */
export const grid: DataSet = {
  name: "grid",
  description: "GRID audio-visual sentences: 48x48 mouth crops at 25 fps, MFCC of the sound, words",
  details: `The folder has index.json and fold*.gz (coded layout), or the corpus's original files: *.mpg,
<name>.align beside them or in align/, and audio/<name>.wav in place of the clips' sound
where there are any, as in s1/video, s1/align and s1/audio. Original files need ffmpeg on
PATH; --box says where the mouth is, ${[x, y, width, height].join()} by default for 360x288 pictures;
--crop detector looks for it in every picture.`,
  folder: "grid-s1",
  takes: ["folds", "crop"],
  recordings: gridRecordings,
};

async function* gridRecordings(
  source: string,
  options: ImportOptions,
): AsyncGenerator<ImportedRecording, void, void> {
  if ((await filesOf(source)).includes("index.json")) {
    const option = options.crop?.mode === "detector" ? "--crop" : "--box";
    refuse(option, options.crop, "the frames of the coded layout are cropped already");
    return yield* codedGridRecordings(source, options);
  }
  const clips = await findGridClips(source);
  if (clips.length === 0) {
    throw new PolyphaseError(
      "FILE_NOT_FOUND",
      `Cannot import grid: ${source} must have index.json and fold*.gz (coded layout), or *.mpg with *.align beside them or in align/ (original layout)`,
    );
  }
  refuse("--folds", options.folds, "the original layout has no folds");
  return yield* originalGridRecordings(clips, options);
}

function refuse(option: string, value: unknown, reason: string): void {
  if (value === undefined) return;
  throw new PolyphaseError("USAGE", `Cannot import grid: ${option} must be left out, ${reason}`);
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const message = `Cannot import grid: cannot list ${folder}`;
    throw new PolyphaseError("FILE_NOT_FOUND", message, { cause: error });
  }
}
