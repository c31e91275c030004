import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** One file of a ZIP archive. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly packedSize: number;
  /** 0: as it is, 8: deflated. */
  readonly method: number;
  /** Where its local header starts. */
  readonly offset: number;
}

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const endBytes = 22;
const commentMax = 65_535;
const entryBytes = 46;
const localBytes = 30;

/**
 * The files of a ZIP archive, as Python wheels are, from its central directory.
 *
 * @throws {PolyphaseError} FILE_NOT_FOUND or BAD_DATA
 */
export async function readZipEntries(path: string): Promise<ZipEntry[]> {
  const file = await openArchive(path);
  try {
    const { size } = await file.stat();
    const tail = await read(file, Math.max(0, size - endBytes - commentMax), size);
    let end = tail.length - endBytes;
    while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end -= 1;
    if (end < 0) throw badArchive(path, "it must end with a ZIP directory");
    const count = tail.readUInt16LE(end + 10);
    const from = tail.readUInt32LE(end + 16);
    const directory = await read(file, from, from + tail.readUInt32LE(end + 12));
    return parseDirectory(path, directory, count);
  } finally {
    await file.close();
  }
}

function parseDirectory(path: string, directory: Buffer, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + entryBytes > directory.length || directory.readUInt32LE(at) !== entrySignature) {
      throw badArchive(path, `entry ${i + 1} of ${count} of its directory is damaged`);
    }
    const nameBytes = directory.readUInt16LE(at + 28);
    const nameAt = at + entryBytes;
    entries.push({
      name: directory.toString("utf8", nameAt, nameAt + nameBytes),
      size: directory.readUInt32LE(at + 24),
      packedSize: directory.readUInt32LE(at + 20),
      method: directory.readUInt16LE(at + 10),
      offset: directory.readUInt32LE(at + 42),
    });
    at = nameAt + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/** Unpacks one file to `target`, whose folder is made. */
export async function extractZipEntry(
  path: string,
  entry: ZipEntry,
  target: string,
): Promise<void> {
  const start = await dataStart(path, entry);
  await mkdir(dirname(target), { recursive: true });
  const source = createReadStream(path, { start, end: start + Math.max(0, entry.packedSize - 1) });
  const sink = createWriteStream(target);
  if (entry.method === 8) await pipeline(source, createInflateRaw(), sink);
  else await pipeline(source, sink);
  if (sink.bytesWritten !== entry.size) {
    throw badArchive(
      path,
      `${entry.name} must unpack to ${entry.size} bytes, got ${sink.bytesWritten}`,
    );
  }
}

/** The local header's name and extra field may be longer than the directory's. */
async function dataStart(path: string, { offset }: ZipEntry): Promise<number> {
  const file = await openArchive(path);
  try {
    const header = await read(file, offset, offset + localBytes);
    return offset + localBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  } finally {
    await file.close();
  }
}

async function openArchive(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (cause) {
    throw new PolyphaseError("FILE_NOT_FOUND", `Cannot open archive ${path}`, { cause });
  }
}

async function read(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(to - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  return bytes.subarray(0, bytesRead);
}

function badArchive(path: string, what: string): PolyphaseError {
  return new PolyphaseError("BAD_DATA", `Cannot unpack ${path}: ${what}`);
}
