import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** `s1/video/mpg_6000/bbaf2n.mpg` is as deep as the corpus goes. */
const depthMax = 3;

/** A sentence of the GRID corpus in its original files. */
export interface GridClip {
  /** The sentence, with the speaker before it where the source has speakers' folders: `s1-bbaf2n`. */
  readonly name: string;
  /** Such as `s1`, where a folder tells it. */
  readonly speaker: string | undefined;
  readonly video: string;
  readonly align: string;
  /** A sound file that takes the place of the clip's own sound. */
  readonly sound: string | undefined;
}

/**
 * The clips `*.mpg` below `source`, in the order of names, with `<name>.align` beside the clip or in
 * `align/`, and `<name>.wav` in `audio/` where there is one; both folders may lie in the clip's or in
 * one that holds it, up to the speaker's. None for a folder without clips.
 *
 * @throws PolyphaseError `FILE_NOT_FOUND` for a clip without alignment, `BAD_DATA` for two clips of
 *   one name.
 */
export async function findGridClips(source: string): Promise<GridClip[]> {
  const files = new Set(await filesBelow(source, ".", depthMax));
  const clips: GridClip[] = [];
  for (const file of [...files].filter((path) => path.endsWith(".mpg"))) {
    clips.push(clipOf(source, file, files));
  }
  clips.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  for (const [i, { name, video }] of clips.entries()) {
    if (clips[i + 1]?.name !== name) continue;
    const message = `Cannot import grid: clips must have different names, got ${video} and ${clips[i + 1]!.video}`;
    throw new PolyphaseError("BAD_DATA", message);
  }
  return clips;
}

/** Paths relative to `source`. */
async function filesBelow(source: string, folder: string, depth: number): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(source, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) paths.push(path);
    else if (depth > 0) paths.push(...(await filesBelow(source, path, depth - 1)));
  }
  return paths;
}

function clipOf(source: string, file: string, files: ReadonlySet<string>): GridClip {
  const sentence = basename(file, ".mpg");
  const folders = foldersUpToSpeaker(dirname(file));
  const speakerBelow = speakerIn(folders.at(-1)!);
  const find = (candidates: readonly string[]): string | undefined => {
    const found = candidates.find((path) => files.has(path));
    return found === undefined ? undefined : join(source, found);
  };
  const aligns = folders.map((folder) => join(folder, "align", `${sentence}.align`));
  const align = find([join(folders[0]!, `${sentence}.align`), ...aligns]);
  if (align === undefined) {
    const message = `Cannot import grid: ${join(source, file)} must have ${sentence}.align beside it or in align/`;
    throw new PolyphaseError("FILE_NOT_FOUND", message);
  }
  return {
    name: speakerBelow === undefined ? sentence : `${speakerBelow}-${sentence}`,
    speaker: speakerBelow ?? speakerIn(resolve(source)),
    video: join(source, file),
    align,
    sound: find(folders.map((folder) => join(folder, "audio", `${sentence}.wav`))),
  };
}

/** The folder, the one that holds it, and so on: up to the speaker's, or to the source, `.`. */
function foldersUpToSpeaker(folder: string): string[] {
  if (folder === "." || speakerIn(folder) !== undefined) return [folder];
  return [folder, ...foldersUpToSpeaker(dirname(folder))];
}

function speakerIn(folder: string): string | undefined {
  return /^s\d{1,2}$/.exec(basename(folder))?.[0];
}
