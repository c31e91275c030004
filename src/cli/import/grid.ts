import { join } from "node:path";
import { audioEvents } from "../../sensors/audio/audio-events.ts";
import type { VideoEvent } from "../../sensors/sensor-event.ts";
import {
  type GridSentence,
  gridFrameSize,
  gridFrameTimeUs,
  gridSampleRate,
  parseGridIndex,
  readGridFrames,
  readGridSound,
} from "../../wire/datasets/grid-s1.ts";
import {
  byReceiveTime,
  type DataSet,
  type ImportedItem,
  type ImportedRecording,
  type ImportOptions,
} from "./importer.ts";
import { segmentMarkers } from "./segment-markers.ts";
import { readGzipSource, readSource } from "./source-files.ts";

const silences: readonly string[] = ["sil", "sp"];

/** The unpacked files of one fold. */
interface GridFold {
  readonly fold: number;
  readonly mouth: Uint8Array;
  readonly sound: Uint8Array;
}

/** GRID audio-visual sentences of one speaker: sensors `audio` (MFCC) and `video` (mouth crops). */
export const grid: DataSet = {
  name: "grid",
  description: "GRID audio-visual sentences: 48x48 mouth crops at 25 fps, MFCC of the sound, words",
  folder: "grid-s1",
  hasFolds: true,
  recordings: gridRecordings,
};

async function* gridRecordings(
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
    yield gridRecording(sentence, files);
  }
}

async function readFold(source: string, fold: number): Promise<GridFold> {
  const mouth = await readGzipSource(join(source, `fold${fold}.mouth.gz`));
  const sound = await readGzipSource(join(source, `fold${fold}.pcm.gz`));
  return { fold, mouth, sound };
}

function gridRecording(sentence: GridSentence, files: GridFold): ImportedRecording {
  const { name, fold, startMs } = sentence;
  const words = sentence.words.filter(({ word }) => !silences.includes(word));
  const segments = words.map(({ word, startUs, endUs }) => ({ label: word, startUs, endUs }));
  return {
    name,
    metadata: {
      dataSet: "grid",
      name,
      label: words.map(({ word }) => word).join(" "),
      fold: String(fold),
      words: JSON.stringify(words),
      clipStartMs: String(startMs),
      timeOrigin: "start of the cut",
      licence: "CC BY 4.0",
      source: "GRID corpus, speaker s1; Cooke, Barker, Cunningham, Shao, JASA 120(5), 2006",
    },
    items: () =>
      byReceiveTime([
        ...segmentMarkers(name, name, segments),
        ...soundItems(sentence, files.sound),
        ...videoItems(sentence, files.mouth),
      ]),
  };
}

function soundItems(sentence: GridSentence, soundFile: Uint8Array): ImportedItem[] {
  const events = audioEvents(readGridSound(soundFile, sentence), {
    stream: sentence.name,
    sensor: "audio",
    sampleRate: gridSampleRate,
    startUs: 0,
  });
  return events.map((item) => ({ item, receivedUs: item.availableUs }));
}

function videoItems(sentence: GridSentence, mouthFile: Uint8Array): ImportedItem[] {
  const frames = readGridFrames(mouthFile, sentence);
  const bytes = gridFrameSize * gridFrameSize;
  return Array.from({ length: sentence.frames }, (_, seq) => {
    const item: VideoEvent = {
      kind: "video",
      stream: sentence.name,
      sensor: "video",
      timeUs: gridFrameTimeUs(seq),
      seq,
      width: gridFrameSize,
      height: gridFrameSize,
      pixels: frames.subarray(seq * bytes, (seq + 1) * bytes),
    };
    return { item, receivedUs: item.timeUs };
  });
}
