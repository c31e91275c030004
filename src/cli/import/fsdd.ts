import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { audioEvents } from "../../sensors/audio/audio-events.ts";
import { decodeWav } from "../../sensors/audio/wav.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { readTar } from "../../wire/datasets/tar.ts";
import {
  byReceiveTime,
  type DataSet,
  type ImportedItem,
  type ImportedRecording,
} from "./importer.ts";
import { segmentMarkers } from "./segment-markers.ts";
import { readGzipSource, readSource } from "./source-files.ts";

/** A sound file, `{digit}_{speaker}_{index}.wav`. */
interface FsddSample {
  readonly name: string;
  readonly digit: string;
  readonly speaker: string;
  readonly read: () => Promise<Uint8Array>;
}

/** Free Spoken Digit Dataset: isolated digits, 8 kHz; sensor `audio` (MFCC). */
export const fsdd: DataSet = {
  name: "fsdd",
  description:
    "Free Spoken Digit Dataset: a folder of {digit}_{speaker}_{index}.wav, with recordings/, or with a .tar.gz of them",
  folder: "fsdd",
  takes: [],
  recordings: fsddRecordings,
};

async function* fsddRecordings(source: string): AsyncGenerator<ImportedRecording, void, void> {
  const samples = await samplesOf(source);
  if (samples.length === 0) {
    throw new PolyphaseError(
      "FILE_NOT_FOUND",
      `Cannot import fsdd: ${source} must have {digit}_{speaker}_{index}.wav or a .tar.gz of them`,
    );
  }
  for (const sample of samples.sort(byName)) {
    yield fsddRecording(sample, await sample.read());
  }
}

async function samplesOf(source: string): Promise<FsddSample[]> {
  const names = await filesOf(source);
  if (names.includes("recordings")) return samplesOf(join(source, "recordings"));
  const archive = names.find((name) => name.endsWith(".tar.gz"));
  if (archive !== undefined) return archivedSamples(join(source, archive));
  return names.flatMap((name) => sampleOf(name, () => readSource(join(source, name))));
}

async function archivedSamples(path: string): Promise<FsddSample[]> {
  const entries = [...readTar(await readGzipSource(path))];
  return entries.flatMap(({ path: name, bytes }) => sampleOf(basename(name), async () => bytes));
}

/** No sample for a file of another name. */
function sampleOf(file: string, read: FsddSample["read"]): FsddSample[] {
  const match = /^((\d)_([^_]+)_\d+)\.wav$/.exec(file);
  if (match === null) return [];
  const [, name, digit, speaker] = match as unknown as [string, string, string, string];
  return [{ name, digit, speaker, read }];
}

/** Numbers in names count as numbers: index 2 before 10. */
function byName(a: FsddSample, b: FsddSample): number {
  return a.name.localeCompare(b.name, "en", { numeric: true });
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const message = `Cannot import fsdd: cannot list ${folder}`;
    throw new PolyphaseError("FILE_NOT_FOUND", message, { cause: error });
  }
}

function fsddRecording({ name, digit, speaker }: FsddSample, file: Uint8Array): ImportedRecording {
  return {
    name,
    metadata: {
      dataSet: "fsdd",
      name,
      label: digit,
      speaker,
      timeOrigin: "start of the sound",
      licence: "CC BY-SA 4.0",
      source: "Free Spoken Digit Dataset; Jackson et al.",
    },
    items: () => fsddItems(name, digit, file),
  };
}

function fsddItems(stream: string, digit: string, file: Uint8Array): ImportedItem[] {
  const { sampleRate, samples } = readSound(stream, file);
  const endUs = Math.ceil((samples.length * 1e6) / sampleRate);
  const events = audioEvents(samples, { stream, sensor: "audio", sampleRate, startUs: 0 });
  return byReceiveTime([
    ...segmentMarkers(stream, stream, [{ label: digit, startUs: 0, endUs }]),
    ...events.map((item) => ({ item, receivedUs: item.availableUs })),
  ]);
}

/** Adds the file's name to what is wrong with it. */
function readSound(name: string, file: Uint8Array): ReturnType<typeof decodeWav> {
  try {
    return decodeWav(file);
  } catch (error) {
    const message = `Cannot import fsdd: ${name}.wav: ${(error as Error).message}`;
    throw new PolyphaseError("BAD_DATA", message, { cause: error });
  }
}
