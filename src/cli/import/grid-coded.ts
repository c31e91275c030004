import { join } from "node:path";
import {
  type GridSentence,
  gridFrameSize,
  parseGridIndex,
  readGridFrames,
  readGridSound,
} from "../../wire/datasets/grid-s1.ts";
import { type GridFrame, gridItems, gridMetadata, spokenWords } from "./grid-recording.ts";
import type { ImportedRecording, ImportOptions } from "./importer.ts";
import { readGzipSource, readSource } from "./source-files.ts";

/** The unpacked files of one fold. */
interface GridFold {
  readonly fold: number;
  readonly mouth: Uint8Array;
  readonly sound: Uint8Array;
}

/** Sentences of the coded layout: index.json, fold*.mouth.gz and fold*.pcm.gz in `source`. */
export async function* codedGridRecordings(
  source: string,
  { folds }: ImportOptions,
): AsyncGenerator<ImportedRecording, void, void> {
  const index = await readSource(join(source, "index.json"));
  const sentences = parseGridIndex(new TextDecoder().decode(index));
  let files: GridFold | undefined;
  for (const sentence of sentences) {
    if (folds !== undefined && !folds.has(sentence.fold)) continue;
    // Sentences lie fold by fold, so one fold in memory is enough.
    if (files?.fold !== sentence.fold) files = await readFold(source, sentence.fold);
    yield codedGridRecording(sentence, files);
  }
}

async function readFold(source: string, fold: number): Promise<GridFold> {
  const mouth = await readGzipSource(join(source, `fold${fold}.mouth.gz`));
  const sound = await readGzipSource(join(source, `fold${fold}.pcm.gz`));
  return { fold, mouth, sound };
}

function codedGridRecording(sentence: GridSentence, files: GridFold): ImportedRecording {
  const { name, fold, startMs } = sentence;
  const words = spokenWords(sentence.words);
  return {
    name,
    metadata: {
      ...gridMetadata(name, "s1", words),
      fold: String(fold),
      clipStartMs: String(startMs),
      timeOrigin: "start of the cut",
    },
    items: () =>
      gridItems(name, {
        frames: framesOf(readGridFrames(files.mouth, sentence)),
        sound: readGridSound(files.sound, sentence),
        words,
      }),
  };
}

/** Crops that lie one after the other. */
function framesOf(pixels: Uint8Array): GridFrame[] {
  const bytes = gridFrameSize * gridFrameSize;
  return Array.from({ length: pixels.length / bytes }, (_, index) => {
    return { index, pixels: pixels.subarray(index * bytes, (index + 1) * bytes) };
  });
}
