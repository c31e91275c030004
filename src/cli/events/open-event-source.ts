import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createDvsDecoder } from "../../sensors/dvs/codecs/create-dvs-decoder.ts";
import {
  detectEventFormat,
  type EventFormat,
  eventFormats,
} from "../../sensors/dvs/codecs/detect-event-format.ts";
import {
  parseRawHeader,
  readPercentHeader,
} from "../../sensors/dvs/codecs/prophesee/raw-header.ts";
import { ByteQueue } from "../../sensors/dvs/codecs/stream/byte-queue.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { EventSource, EventSourceOptions } from "./event-source.ts";
import { FileEventSource } from "./file-event-source.ts";
import { openMcapEvents } from "./mcap-event-source.ts";
import { openFile } from "./open-file.ts";
import { openRosbag2 } from "./rosbag2-event-source.ts";
import { scanNmnistSize } from "./scan-nmnist-size.ts";

const headBytes = 65_536;
const mcapMagic = "\x89MCAP";
const sqliteMagic = "SQLite format 3";

/**
 * Opens a file of events of any format, or a rosbag2 folder, by its first bytes.
 *
 * @throws {PolyphaseError} FILE_NOT_FOUND, or BAD_DATA if it is of no known format
 */
export async function openEventSource(
  given: string,
  options: EventSourceOptions = {},
): Promise<EventSource> {
  const path = await recordingIn(given);
  const head = await readHead(path);
  const text = Buffer.from(head.subarray(0, 16)).toString("latin1");
  if (text.startsWith(mcapMagic)) return openMcapEvents(path, options.topic);
  if (text.startsWith(sqliteMagic)) return openRosbag2(path, options.topic);
  const format = asFormat(options.format) ?? detectEventFormat(head, path);
  if (format === undefined) {
    throw new PolyphaseError(
      "BAD_DATA",
      `Cannot read ${path}: byte 0 must start a known format of events, got ${Buffer.from(head.subarray(0, 8)).toString("hex") || "nothing"} (name one with --format)`,
    );
  }
  const size = format === "nmnist" ? (options.size ?? (await scanNmnistSize(path))) : options.size;
  const decoder = createDvsDecoder(format, size);
  const name = format === "raw" ? rawFormat(head) : format;
  return new FileEventSource(path, await openFile(path), name, decoder);
}

function asFormat(name: string | undefined): EventFormat | undefined {
  if (name === undefined) return undefined;
  const format = eventFormats.find((known) => known === name);
  if (format === undefined) {
    throw new PolyphaseError(
      "USAGE",
      `Cannot read events: --format must be one of ${eventFormats.join(", ")}, got ${name}`,
    );
  }
  return format;
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const head = new Uint8Array(headBytes);
    const { bytesRead } = await file.read(head, 0, headBytes, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The EVT format that a RAW header names. */
function rawFormat(head: Uint8Array): string {
  const bytes = new ByteQueue();
  bytes.push(head);
  const fields = readPercentHeader(bytes, true);
  return (fields && parseRawHeader(fields).format) ?? "raw";
}

/** The recording inside a rosbag2 folder; any other path as it is. */
async function recordingIn(path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() !== true) return path;
  const names = (await readdir(path)).filter((name) => /\.(db3|mcap)$/.test(name)).sort();
  if (names[0] !== undefined) return join(path, names[0]);
  throw new PolyphaseError("BAD_DATA", `Cannot read ${path}: the folder must hold a .db3 or .mcap`);
}
