import { audioEvents } from "../../sensors/audio/audio-events.ts";
import type { VideoEvent } from "../../sensors/sensor-event.ts";
import {
  type GridWord,
  gridFrameSize,
  gridFrameTimeUs,
  gridSampleRate,
} from "../../wire/datasets/grid-s1.ts";
import { byReceiveTime, type ImportedItem } from "./importer.ts";
import { segmentMarkers } from "./segment-markers.ts";

const silences: readonly string[] = ["sil", "sp"];

/** The words that are spoken. */
export function spokenWords(words: readonly GridWord[]): GridWord[] {
  return words.filter(({ word }) => !silences.includes(word));
}

/** Metadata that recordings of a GRID sentence have in common, whatever they were made of. */
export function gridMetadata(
  name: string,
  speaker: string | undefined,
  words: readonly GridWord[],
): Record<string, string> {
  const of = speaker === undefined ? "" : `, speaker ${speaker}`;
  return {
    dataSet: "grid",
    name,
    label: words.map(({ word }) => word).join(" "),
    words: JSON.stringify(words),
    licence: "CC BY 4.0",
    source: `GRID corpus${of}; Cooke, Barker, Cunningham, Shao, JASA 120(5), 2006`,
  };
}

/** A mouth crop, 48 × 48 bytes. */
export interface GridFrame {
  /** Which of the clip's pictures it was cut from; tells its time. */
  readonly index: number;
  readonly pixels: Uint8Array;
}

/** What was seen, heard and said in a sentence. */
export interface GridSignals {
  /** Mouth crops in order; a picture in which no mouth was found has none. */
  readonly frames: readonly GridFrame[];
  /** How they were cut, where it is known. */
  readonly convention?: string;
  /** 16 kHz. */
  readonly sound: Int16Array;
  /** Spoken words, in order. */
  readonly words: readonly GridWord[];
}

/** Sensors `audio` (MFCC) and `video` (mouth crops), and a segment for each word. */
export function gridItems(stream: string, signals: GridSignals): ImportedItem[] {
  const { sound, words } = signals;
  const segments = words.map(({ word, startUs, endUs }) => ({ label: word, startUs, endUs }));
  return byReceiveTime([
    ...segmentMarkers(stream, stream, segments),
    ...soundItems(stream, sound),
    ...videoItems(stream, signals),
  ]);
}

function soundItems(stream: string, sound: Int16Array): ImportedItem[] {
  const sampleRate = gridSampleRate;
  const events = audioEvents(sound, { stream, sensor: "audio", sampleRate, startUs: 0 });
  return events.map((item) => ({ item, receivedUs: item.availableUs }));
}

function videoItems(
  stream: string,
  { frames, convention }: Pick<GridSignals, "frames" | "convention">,
): ImportedItem[] {
  return frames.map(({ index, pixels }) => {
    const item: VideoEvent = {
      kind: "video",
      stream,
      sensor: "video",
      timeUs: gridFrameTimeUs(index),
      // Counts the clip's pictures, so that one without a mouth is seen to be missing.
      seq: index,
      ...(convention === undefined ? {} : { convention }),
      width: gridFrameSize,
      height: gridFrameSize,
      pixels,
    };
    return { item, receivedUs: item.timeUs };
  });
}
