import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decodeWhole } from "../../sensors/dvs/codecs/decode-whole.ts";
import { createNmnistDecoder } from "../../sensors/dvs/codecs/nmnist.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { packRecording } from "./packed-recording.ts";
import { tarEntries } from "./tar-entries.ts";

/** A recording of a digit. */
export interface LabelledRecording {
  /** K of `K.bs2`. */
  readonly sample: number;
  readonly label: number;
  readonly events: Uint32Array;
}

/**
 * Real N-MNIST recordings of a folder: `K.bs2` loose or in a `.tar.gz`, and a `.txt` with sample
 * and class in each line. Those without a class are left out.
 *
 * @returns in order of their sample numbers
 * @throws {PolyphaseError} FILE_NOT_FOUND or BAD_DATA naming the file
 */
export async function readNmnistRecordings(directory: string): Promise<LabelledRecording[]> {
  const names = await listFiles(directory);
  const labels = await readLabels(directory, names);
  const recordings = new Map<number, LabelledRecording>();
  const add = (name: string, bytes: Uint8Array): void => {
    const sample = /^(\d+)\.bs2$/.exec(basename(name));
    const label = sample === null ? undefined : labels.get(Number(sample[1]));
    if (sample === null || label === undefined) return;
    const key = Number(sample[1]);
    recordings.set(key, { sample: key, label, events: decodeRecording(name, bytes) });
  };
  for (const name of names) {
    if (name.endsWith(".bs2")) add(name, await readFile(join(directory, name)));
    if (name.endsWith(".tar.gz")) {
      const archive = gunzipSync(await readFile(join(directory, name)));
      for (const entry of tarEntries(archive)) add(entry.name, entry.bytes);
    }
  }
  if (recordings.size === 0) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read N-MNIST: ${directory} must hold recordings K.bs2, loose or in a .tar.gz, and a .txt with their classes`,
    );
  }
  return [...recordings.values()].sort((a, b) => a.sample - b.sample);
}

async function listFiles(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    throw new PolyphaseError("FILE_NOT_FOUND", `Cannot read N-MNIST: no folder ${directory}`, {
      cause,
    });
  }
}

async function readLabels(
  directory: string,
  names: readonly string[],
): Promise<Map<number, number>> {
  const labels = new Map<number, number>();
  for (const name of names.filter((file) => file.endsWith(".txt"))) {
    const lines = (await readFile(join(directory, name), "utf8")).split("\n");
    lines.forEach((line, index) => {
      if (line.trim() === "" || line.startsWith("#")) return;
      const [sample, label] = line.trim().split(/\s+/).map(Number);
      if (!Number.isInteger(sample) || !(label! >= 0 && label! <= 9)) {
        throw new PolyphaseError(
          "BAD_DATA",
          `Cannot read N-MNIST: ${name}:${index + 1} must be a sample and a class 0 … 9, got ${JSON.stringify(line)}`,
        );
      }
      labels.set(sample!, label!);
    });
  }
  return labels;
}

/** Bytes that break the format are an error here: a data set is not a live sensor. */
function decodeRecording(name: string, bytes: Uint8Array): Uint32Array {
  const decoder = createNmnistDecoder();
  const packets = decodeWhole(decoder, bytes);
  const anomaly = Object.entries(decoder.anomalies).find(([, count]) => count > 0);
  if (anomaly !== undefined || packets.length === 0) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read N-MNIST recording ${name}: it must hold 5-byte events inside 34 × 34 pixels in time order, got ${anomaly === undefined ? "no event" : `${anomaly[1]} × ${anomaly[0]}`}`,
    );
  }
  return packRecording(packets);
}
