import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeWhole, joinDvsPackets } from "../../sensors/dvs/codecs/decode-whole.ts";
import { createNmnistDecoder } from "../../sensors/dvs/codecs/nmnist.ts";
import { type DvsPacket, lastTimeUs } from "../../sensors/dvs/dvs-packet.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { parseNmnistLabels } from "../../wire/datasets/nmnist-labels.ts";
import { readTar } from "../../wire/datasets/tar.ts";
import { livePacketLimits, splitDvsPacket } from "../../wire/split-dvs-packet.ts";
import {
  byReceiveTime,
  type DataSet,
  type ImportedItem,
  type ImportedRecording,
} from "./importer.ts";
import { segmentMarkers } from "./segment-markers.ts";
import { readGzipSource, readSource } from "./source-files.ts";

/** One recording as it lies in the source. */
interface NmnistSample {
  readonly split: "train" | "test";
  /** Counts the images of the MNIST split from 1. */
  readonly number: number;
  readonly label: number;
  readonly bytes: Uint8Array;
}

/** N-MNIST: digits seen by an event camera that makes three saccades; sensor `dvs`. */
export const nmnist: DataSet = {
  name: "nmnist",
  description:
    "N-MNIST event-camera digits: a folder with Train/ and Test/, or with train1K.txt and .bs2 files or a .tar.gz of them",
  folder: "nmnist",
  takes: [],
  recordings: nmnistRecordings,
};

async function* nmnistRecordings(source: string): AsyncGenerator<ImportedRecording, void, void> {
  const names = await filesOf(source);
  const samples = names.includes("train1K.txt")
    ? listedSamples(source, names)
    : treeSamples(source, names);
  for await (const sample of samples) yield nmnistRecording(sample);
}

/** `k.bs2` for every k of train1K.txt, from an archive if there is one, else loose. */
async function* listedSamples(
  source: string,
  names: readonly string[],
): AsyncGenerator<NmnistSample, void, void> {
  const list = await readSource(join(source, "train1K.txt"));
  const labels = parseNmnistLabels(new TextDecoder().decode(list));
  const archiveName = names.find((name) => name.endsWith(".tar.gz"));
  const archived =
    archiveName === undefined ? undefined : await archivedFiles(join(source, archiveName));
  for (const [number, label] of labels) {
    const name = `${number}.bs2`;
    const bytes = archived?.get(name) ?? (await readSource(join(source, name)));
    yield { split: "train", number, label, bytes };
  }
}

async function archivedFiles(path: string): Promise<Map<string, Uint8Array>> {
  const archive = await readGzipSource(path);
  const files = new Map<string, Uint8Array>();
  for (const { path: name, bytes } of readTar(archive)) {
    files.set(name.slice(name.lastIndexOf("/") + 1), bytes);
  }
  return files;
}

/** The data set's original tree: `Train/<digit>/<number>.bin` and `Test/<digit>/<number>.bin`. */
async function* treeSamples(
  source: string,
  names: readonly string[],
): AsyncGenerator<NmnistSample, void, void> {
  const splits = names.filter((name) => name === "Train" || name === "Test");
  if (splits.length === 0) {
    throw new PolyphaseError(
      "FILE_NOT_FOUND",
      `Cannot import nmnist: ${source} must have train1K.txt, Train/ or Test/, got ${names.join(", ") || "nothing"}`,
    );
  }
  for (const folder of splits) {
    const split = folder === "Train" ? "train" : "test";
    for (let label = 0; label <= 9; label++) {
      const digitFolder = join(source, folder, String(label));
      for (const name of await filesOf(digitFolder)) {
        const number = /^(\d+)\.bin$/.exec(name)?.[1];
        if (number === undefined) continue;
        const bytes = await readSource(join(digitFolder, name));
        yield { split, number: Number(number), label, bytes };
      }
    }
  }
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const message = `Cannot import nmnist: cannot list ${folder}`;
    throw new PolyphaseError("FILE_NOT_FOUND", message, { cause: error });
  }
}

function nmnistRecording({ split, number, label, bytes }: NmnistSample): ImportedRecording {
  const name = `${split}-${String(number).padStart(5, "0")}`;
  return {
    name,
    metadata: {
      dataSet: "nmnist",
      name,
      label: String(label),
      split,
      timeOrigin: "start of the recording",
      licence: "CC BY-SA 4.0",
      source: "N-MNIST; Orchard, Jayawant, Cohen, Thakor, Frontiers in Neuroscience 9, 2015",
    },
    items: () => nmnistItems(name, String(label), bytes),
  };
}

function nmnistItems(stream: string, label: string, bytes: Uint8Array): ImportedItem[] {
  const decoder = createNmnistDecoder();
  const events = joinDvsPackets(decodeWhole(decoder, bytes));
  if (events.count === 0) {
    throw new PolyphaseError("BAD_DATA", `Cannot import nmnist: ${stream} must have events`);
  }
  const segment = { label, startUs: 0, endUs: lastTimeUs(events) + 1 };
  return byReceiveTime([
    ...segmentMarkers(stream, stream, [segment]),
    ...packetItems(stream, events),
  ]);
}

/** A packet arrives when its last event has happened. */
function packetItems(stream: string, events: DvsPacket): ImportedItem[] {
  return [...splitDvsPacket(events, livePacketLimits)].map((packet, seq) => ({
    item: { kind: "dvs", stream, sensor: "dvs", timeUs: packet.timeUs[0]!, seq, packet },
    receivedUs: lastTimeUs(packet),
  }));
}
