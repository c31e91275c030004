import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";

/** Unpacked bytes of one file of a data set; the largest known has 60 MB. */
const unpackedBytesMax = 1024 ** 3;

const unzip = promisify(gunzip);

/** The bytes of a data set's file. Throws FILE_NOT_FOUND or BAD_DATA. */
export async function readSource(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw cannotRead(path, error as NodeJS.ErrnoException);
  }
}

/** The unpacked bytes of a data set's gzip file. Throws FILE_NOT_FOUND or BAD_DATA. */
export async function readGzipSource(path: string): Promise<Uint8Array> {
  const packed = await readSource(path);
  try {
    return await unzip(packed, { maxOutputLength: unpackedBytesMax });
  } catch (error) {
    throw cannotRead(path, error as NodeJS.ErrnoException);
  }
}

function cannotRead(path: string, cause: NodeJS.ErrnoException): PolyphaseError {
  if (cause.code === "ENOENT") {
    const message = `Cannot read ${path}: there is no such file`;
    return new PolyphaseError("FILE_NOT_FOUND", message, { cause });
  }
  return new PolyphaseError("BAD_DATA", `Cannot read ${path}: ${cause.message}`, { cause });
}
