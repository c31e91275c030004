import { badData } from "./bad-data.ts";

/*
 * A compact cut of GRID speaker s1: one index (JSON) and, per fold, all mouth crops and all sound of
 * its sentences, each one after the other in a file of its own.
 */

/** Width and height of a mouth crop. */
export const gridFrameSize = 48;
/** Sound samples per second. */
export const gridSampleRate = 16_000;

const frameBytes = gridFrameSize * gridFrameSize;
const frameUs = 40_000;

/** One sentence of the index. */
export interface GridSentence {
  readonly name: string;
  readonly fold: number;
  readonly frames: number;
  /** Byte of the first frame in the fold's (unpacked) mouth file. */
  readonly mouthOffset: number;
  readonly samples: number;
  /** Byte of the first sample in the fold's (unpacked) sound file. */
  readonly soundOffset: number;
  /** Where the cut begins in the original clip. */
  readonly startMs: number;
  readonly words: readonly GridWord[];
}

/** A word, or `sil` or `sp` for silence; times relative to the start of frames and sound, possibly outside of them. */
export interface GridWord {
  readonly word: string;
  readonly startUs: number;
  readonly endUs: number;
}

/** When frame `index` was exposed: in the middle of its 40 ms. */
export function gridFrameTimeUs(index: number): number {
  return index * frameUs + frameUs / 2;
}

/** Reads index.json. Throws BAD_DATA that names the sentence and field. */
export function parseGridIndex(text: string): GridSentence[] {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    throw badData("GRID index", "text", "JSON", (error as Error).message);
  }
  if (!Array.isArray(entries)) throw badData("GRID index", "text", "a list", typeof entries);
  return entries.map(parseSentence);
}

function parseSentence(entry: Readonly<Record<string, unknown>>, place: number): GridSentence {
  const what = `GRID index, entry ${place}`;
  const count = (field: string): number => {
    const value = entry[field];
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    throw badData(what, field, "a whole number >= 0", value);
  };
  const { name, words } = entry as { name?: unknown; words?: unknown };
  if (typeof name !== "string" || !/^[\w-]+$/.test(name)) {
    throw badData(what, "name", "letters and digits", name);
  }
  if (!Array.isArray(words)) throw badData(what, "words", "a list", words);
  return {
    name,
    fold: count("fold"),
    frames: count("frames"),
    mouthOffset: count("mouthOff"),
    samples: count("samples"),
    soundOffset: count("pcmOff"),
    startMs: count("startMs"),
    words: words.map((word) => parseWord(what, word)),
  };
}

function parseWord(what: string, entry: unknown): GridWord {
  const [word, startMs, endMs] = Array.isArray(entry) ? entry : [];
  if (typeof word !== "string" || !Number.isFinite(startMs) || !(endMs >= startMs)) {
    throw badData(what, "words", "[word, start, end] in ms", JSON.stringify(entry));
  }
  return { word, startUs: Math.round(startMs * 1000), endUs: Math.round(endMs * 1000) };
}

/**
 * The mouth crops of a sentence, one after the other, 0 to 252. They are stored as 6-bit grey,
 * the first frame plain and each later one as the difference from the one before.
 */
export function readGridFrames(mouthFile: Uint8Array, sentence: GridSentence): Uint8Array {
  const { name, mouthOffset, frames } = sentence;
  const bytes = frames * frameBytes;
  if (mouthFile.length < mouthOffset + bytes) {
    const expected = `at least ${mouthOffset + bytes} bytes`;
    throw badData(`GRID sentence ${name}`, "mouth file", expected, mouthFile.length);
  }
  const pixels = new Uint8Array(bytes);
  const grey = new Uint8Array(frameBytes);
  for (let i = 0; i < bytes; i++) {
    const at = i % frameBytes;
    grey[at] = grey[at]! + mouthFile[mouthOffset + i]!;
    if (grey[at]! > 63) {
      throw badData(`GRID sentence ${name}`, `grey of byte ${i}`, "0 to 63", grey[at]);
    }
    pixels[i] = grey[at]! * 4;
  }
  return pixels;
}

/**
 * The sound of a sentence: 16-bit samples at 16 kHz. It is stored as first differences of a 10-bit
 * signal, all high bytes before all low bytes.
 */
export function readGridSound(soundFile: Uint8Array, sentence: GridSentence): Int16Array {
  const { name, soundOffset, samples } = sentence;
  const end = soundOffset + 2 * samples;
  if (soundFile.length < end) {
    const expected = `at least ${end} bytes`;
    throw badData(`GRID sentence ${name}`, "sound file", expected, soundFile.length);
  }
  const sound = new Int16Array(samples);
  let value = 0;
  for (let i = 0; i < samples; i++) {
    const high = soundFile[soundOffset + i]!;
    const low = soundFile[soundOffset + samples + i]!;
    value += ((high << 24) >> 16) | low;
    if (value < -512 || value > 511) {
      throw badData(`GRID sentence ${name}`, `sample ${i}`, "-512 to 511", value);
    }
    sound[i] = value * 64;
  }
  return sound;
}
