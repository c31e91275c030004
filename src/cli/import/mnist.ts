import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { lastTimeUs } from "../../sensors/dvs/dvs-packet.ts";
import {
  digitSize,
  saccadesUs,
  simulateSaccadeDigit,
} from "../../sensors/dvs/simulate/saccade-digit.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { Random } from "../../sensors/random.ts";
import { type IdxArray, readIdx } from "../../wire/datasets/idx.ts";
import { livePacketLimits, splitDvsPacket } from "../../wire/split-dvs-packet.ts";
import {
  byReceiveTime,
  type DataSet,
  type ImportedItem,
  type ImportedRecording,
} from "./importer.ts";
import { segmentMarkers } from "./segment-markers.ts";
import { readGzipSource, readSource } from "./source-files.ts";

/** The two parts of MNIST: their name here, in its file names, and where their seeds begin. */
const splits = [
  { split: "train", prefix: "train", firstSeed: 0 },
  { split: "test", prefix: "t10k", firstSeed: 1_000_000 },
] as const;

type Split = (typeof splits)[number];

/** MNIST seen by a simulated event camera in the three saccades of N-MNIST; sensor `dvs`. */
export const mnist: DataSet = {
  name: "mnist",
  description:
    "MNIST digits before a simulated event camera: a folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte, .gz or not",
  folder: "mnist",
  takes: [],
  recordings: mnistRecordings,
};

async function* mnistRecordings(source: string): AsyncGenerator<ImportedRecording, void, void> {
  const names = await filesOf(source);
  const present = splits.filter(({ prefix }) => find(names, `${prefix}-images-idx3-ubyte`));
  if (present.length === 0) {
    throw new PolyphaseError(
      "FILE_NOT_FOUND",
      `Cannot import mnist: ${source} must have train-images-idx3-ubyte or t10k-images-idx3-ubyte`,
    );
  }
  for (const split of present) yield* splitRecordings(source, names, split);
}

async function* splitRecordings(
  source: string,
  names: readonly string[],
  { split, prefix, firstSeed }: Split,
): AsyncGenerator<ImportedRecording, void, void> {
  const images = await readPart(source, names, `${prefix}-images-idx3-ubyte`);
  const labels = await readPart(source, names, `${prefix}-labels-idx1-ubyte`);
  requireMnist(images, labels);
  const pixels = digitSize * digitSize;
  for (const [index, label] of labels.bytes.entries()) {
    const grey = images.bytes.subarray(index * pixels, (index + 1) * pixels);
    yield mnistRecording(split, index + 1, String(label), grey, firstSeed + index);
  }
}

async function readPart(source: string, names: readonly string[], file: string): Promise<IdxArray> {
  const path = join(source, find(names, file) ?? file);
  return readIdx(await (path.endsWith(".gz") ? readGzipSource(path) : readSource(path)));
}

function find(names: readonly string[], file: string): string | undefined {
  return names.find((name) => name === file || name === `${file}.gz`);
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const message = `Cannot import mnist: cannot list ${folder}`;
    throw new PolyphaseError("FILE_NOT_FOUND", message, { cause: error });
  }
}

function requireMnist(images: IdxArray, labels: IdxArray): void {
  const [count, height, width] = images.dimensions;
  const expected = `N x ${digitSize} x ${digitSize}`;
  if (images.dimensions.length !== 3 || height !== digitSize || width !== digitSize) {
    throw refusal("images", expected, images);
  }
  if (labels.dimensions.length !== 1 || labels.dimensions[0] !== count) {
    throw refusal("labels", `${count}`, labels);
  }
}

function refusal(field: string, expected: string, { dimensions }: IdxArray): PolyphaseError {
  const message = `Cannot import mnist: ${field} must be ${expected}, got ${dimensions.join(" x ")}`;
  return new PolyphaseError("BAD_DATA", message);
}

function mnistRecording(
  split: string,
  number: number,
  label: string,
  grey: Uint8Array,
  seed: number,
): ImportedRecording {
  // Numbered from 1, as N-MNIST numbers the recordings of the same images.
  const name = `${split}-${String(number).padStart(5, "0")}`;
  return {
    name,
    metadata: {
      dataSet: "mnist",
      name,
      label,
      split,
      seed: String(seed),
      timeOrigin: "start of the first saccade",
      licence: "CC BY-SA 3.0",
      source: "MNIST; LeCun, Cortes, Burges. Events simulated",
    },
    items: () => mnistItems(name, label, grey, seed),
  };
}

/** A packet arrives when its last event has happened. */
function mnistItems(stream: string, label: string, grey: Uint8Array, seed: number): ImportedItem[] {
  const events = simulateSaccadeDigit(grey, 0, new Random(seed));
  const packets = [...splitDvsPacket(events, livePacketLimits)];
  return byReceiveTime([
    ...segmentMarkers(stream, stream, [{ label, startUs: 0, endUs: saccadesUs + 1 }]),
    ...packets.map((packet, seq) => ({
      item: {
        kind: "dvs" as const,
        stream,
        sensor: "dvs",
        timeUs: packet.timeUs[0]!,
        seq,
        packet,
      },
      receivedUs: lastTimeUs(packet),
    })),
  ]);
}
